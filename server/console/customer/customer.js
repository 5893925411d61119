// What customers' pages share: the language, whose service it is, the way to the server, and what a refusal is in words.

import { refusal } from "../js/problems.js";
import { addWords, speakHere, t } from "../js/words.js";

addWords({
  "customer.waits": ["Much is going on at the moment. This is sent again by itself in {} s.", "ただいま混み合っています。{}秒後に自動的に再送信します。"],
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
  for (const key of ["organisation", "service", "queue", "language", "site"]) {
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

/** So long all waits of one order may be, in seconds: who would wait longer is told when to come again. */
const PATIENCE_S = 120;

/** How long until an order that was not taken is worth sending again, in seconds. @param {any} problem @returns {number | undefined} */
export function comesAgain(problem) {
  return problem?.status === 429 || problem?.rule === "busy" ? problem.retry_after_s : undefined;
}

/**
 * Sends an order, and again when the server says so.
 * @template T
 * @param {() => Promise<T>} order @param {(text: string) => void} tell shows what is waited for; nothing when it is over
 * @returns {Promise<T>}
 */
export async function sendInTurn(order, tell) {
  try {
    for (let left = PATIENCE_S; ; ) {
      try {
        return await order();
      } catch (problem) {
        const wait = comesAgain(/** @type {any} */ (problem).problem);
        if (wait === undefined || wait > left) throw problem;
        left -= wait;
        tell(t("customer.waits").replace("{}", String(wait)));
        // Whoever was told the same does not come at the same moment.
        await new Promise((done) => setTimeout(done, (wait + Math.random()) * 1_000));
      }
    }
  } finally {
    tell("");
  }
}

/**
 * Shows what is waited for in a form, in which nothing is sent meanwhile.
 * @param {HTMLFormElement} form @param {HTMLElement} wrong where refusals stand
 * @returns {(text: string) => void}
 */
export function waits(form, wrong) {
  return (text) => {
    wrong.hidden = text === "";
    wrong.textContent = text;
    for (const button of form.querySelectorAll("button")) button.disabled = text !== "";
  };
}

/** The site in whose page this frame is, as the embedding script said. */
const site = window.parent === window ? null : query.get("site");

/** This tab's own store; browsers give none to frames in pages of other sites. */
const store = (() => {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
})();

/** What a reload does not lose: kept by the browser, else by the page that embeds this frame, and told to no other page. */
export const kept = {
  /** @param {string} key @returns {Promise<string | null>} */
  async get(key) {
    if (store || !site) return store?.getItem(key) ?? null;
    return new Promise((done) => {
      const hear = (/** @type {MessageEvent} */ event) => {
        if (event.source !== window.parent || event.origin !== site || event.data?.callfloor !== "kept" || event.data.key !== key) return;
        answer(typeof event.data.value === "string" ? event.data.value : null);
      };
      const answer = (/** @type {string | null} */ value) => {
        removeEventListener("message", hear);
        done(value);
      };
      addEventListener("message", hear);
      setTimeout(() => answer(null), 2_000);
      window.parent.postMessage({ callfloor: "ask", key }, site);
    });
  },
  /** @param {string} key @param {string | null} value */
  set(key, value) {
    if (store && value === null) store.removeItem(key);
    else if (store) store.setItem(key, String(value));
    else if (site) window.parent.postMessage({ callfloor: "keep", key, value }, site);
  },
};

// In another site's page Escape closes the frame; there is nothing else that the site is told.
if (window.parent !== window) {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing) window.parent.postMessage("callfloor-close", "*");
  });
}
