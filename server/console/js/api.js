// The server's API, as `/api/openapi.json` describes it.

/** What the server says instead of an answer (RFC 9457). */
export class Refused extends Error {
  /** @param {{rule: string, detail: string, status: number, title?: string}} problem */
  constructor(problem) {
    super(problem.detail);
    this.name = "Refused";
    this.rule = problem.rule;
    this.status = problem.status;
    this.problem = problem;
  }
}

/** No answer came: nobody knows whether the order was obeyed. */
export class Unreachable extends Error {}

const signedOut = new EventTarget();

/** Called when the session is over. @param {() => void} listener */
export function onSignedOut(listener) {
  signedOut.addEventListener("over", listener);
}

/**
 * Asks, and gives the answer's body with its entity tag.
 * @param {"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} method
 * @param {string} path below `/api/v1`
 * @param {{body?: unknown, etag?: string | null, query?: Record<string, unknown>}} [more]
 * @returns {Promise<{value: any, etag: string | null, response: Response}>}
 */
export async function exchange(method, path, more = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(more.query ?? {})) {
    if (value !== null && value !== undefined && value !== "") query.set(key, String(value));
  }
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  let body = null;
  if (more.body instanceof Blob) {
    body = more.body;
    headers["Content-Type"] = more.body.type;
  } else if (more.body !== undefined) {
    body = JSON.stringify(more.body);
    headers["Content-Type"] = "application/json";
  }
  if (more.etag) headers["If-Match"] = more.etag;
  // One key for one order: whatever the network does, it is obeyed once.
  if (method !== "GET") headers["Idempotency-Key"] = randomKey();
  const address = `/api/v1${path}${query.size > 0 ? `?${query}` : ""}`;
  const response = await send(address, { method, headers, body, credentials: "same-origin" });
  if (response.status === 401 && path !== "/sessions") signedOut.dispatchEvent(new Event("over"));
  const json = (response.headers.get("Content-Type") ?? "").includes("json");
  if (!response.ok) {
    const problem = json ? await response.json() : { rule: "http", status: response.status, detail: response.statusText };
    throw new Refused(problem);
  }
  const value = response.status === 204 ? null : json ? await response.json() : await response.text();
  return { value, etag: response.headers.get("ETag"), response };
}

/** A key that needs no secure context, as a console on a plain address in one's own network has none. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * One try, and two more where no answer came: an order has its key, so a repetition is no second order.
 * @param {string} address @param {RequestInit} request
 */
async function send(address, request) {
  for (let wait = 250; ; wait *= 3) {
    try {
      return await fetch(address, request);
    } catch {
      if (wait > 1000) throw new Unreachable("the server does not answer");
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

/** @param {string} path @param {Record<string, unknown>} [query] */
export async function get(path, query) {
  return (await exchange("GET", path, { query })).value;
}

/** @param {string} path @param {unknown} [body] */
export async function post(path, body) {
  return (await exchange("POST", path, { body })).value;
}

/** @param {string} path @param {unknown} [body] @param {string | null} [etag] */
export async function put(path, body, etag) {
  return (await exchange("PUT", path, { body, etag })).value;
}

/** @param {string} path @param {string | null} [etag] */
export async function remove(path, etag) {
  return (await exchange("DELETE", path, { etag })).value;
}
