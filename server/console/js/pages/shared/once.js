// Texts that are written once, however often they are sent: the key belongs to the text, not to the request.

import { get, Refused, Unreachable } from "../../api.js";

/** A key for a text. */
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
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
  let response;
  try {
    response = await fetch(`/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Unreachable("the server does not answer");
  }
  // Whoever is no longer signed in is told so by the next question.
  if (response.status === 401) await get("/sessions/current");
  if (response.status >= 502) throw new Unreachable("the server does not answer");
  const value = await response.json();
  if (!response.ok) throw new Refused(value);
  return { value, etag: response.headers.get("ETag") };
}
