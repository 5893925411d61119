// What customers' pages share: the language, whose service it is, the way to the server, and what a refusal is in words.

import { refusal } from "../js/problems.js";
import { addWords, speakHere, t } from "../js/words.js";

addWords({
  "customer.unreachable": ["The server does not answer. Try again in a moment.", "サーバーに接続できません。しばらくしてからもう一度お試しください。"],
});

export const query = new URLSearchParams(location.search);
const wanted = query.get("language") ?? navigator.language;
speakHere(wanted.toLowerCase().startsWith("ja") ? "ja" : "en");

/** @param {string} name */
export const number = (name) => (query.has(name) ? Number(query.get(name)) : undefined);

export const organisation = query.get("organisation") ?? undefined;

/** The address of another customers' page with the same service, organisation and language. @param {string} page
 * @param {Record<string, string | number>} [more] */
export function pageAddress(page, more = {}) {
  const own = new URLSearchParams();
  for (const key of ["organisation", "service", "queue", "language"]) {
    const value = query.get(key);
    if (value !== null) own.set(key, value);
  }
  for (const [key, value] of Object.entries(more)) own.set(key, String(value));
  return `${page}?${own}`;
}

/** What the server refused. */
export class Refusal extends Error {
  /** @param {any} problem @param {string} otherwise */
  constructor(problem, otherwise) {
    super(problem?.rule ? refusal(problem) : otherwise);
    this.problem = problem;
  }
}

/**
 * Asks the customers' part of the API.
 * @param {string} method @param {string} path below `/api/v1/customer/` @param {unknown} [body] @param {string} [token] a chat's, or an inquiry's
 * @param {string} [key] the same order twice is done once
 */
export async function ask(method, path, body, token, key) {
  /** @type {Record<string, string>} */
  const headers = token ? { "Callfloor-Customer-Token": token } : {};
  if (key) headers["Idempotency-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/v1/customer/${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new Error(t("customer.unreachable"));
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(answer, response.statusText);
  return answer;
}

/** What is kept for this tab, where the browser lets a frame keep anything. */
export const kept = {
  /** @type {Map<string, string>} */
  here: new Map(),
  /** @param {string} key */
  get(key) {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return this.here.get(key) ?? null;
    }
  },
  /** @param {string} key @param {string | null} value */
  set(key, value) {
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, value);
    } catch {
      if (value === null) this.here.delete(key);
      else this.here.set(key, value);
    }
  },
};

// In another site's page Escape closes the frame; there is nothing else that the site is told.
if (window.parent !== window) {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) window.parent.postMessage("callfloor-close", "*");
  });
}
