// Texts that are written once, however often they are sent: the key belongs to the text, not to the request.

import { get, Refused, Unreachable } from "../../api.js";

/** A key for a text. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One try, and two more where no answer came. @param {string} address @param {RequestInit} request */
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

/**
 * @param {string} path below `/api/v1`
 * @param {unknown} body
 * @param {string} key
 * @param {string | null} [etag] the version that was seen
 * @returns {Promise<{value: any, etag: string | null}>}
 */
export async function postOnce(path, body, key, etag) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json", "Content-Type": "application/json", "Idempotency-Key": key };
  if (etag) headers["If-Match"] = etag;
  const response = await send(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
  // Whoever is no longer signed in is told so by the next question.
  if (response.status === 401) await get("/sessions/current");
  if (response.status >= 502) throw new Unreachable("the server does not answer");
  const value = await response.json();
  if (!response.ok) throw new Refused(value);
  return { value, etag: response.headers.get("ETag") };
}
