// Who is signed in, and what goes on for as long as they are.

import { exchange, get, remove } from "./api.js";
import { Stream } from "./stream.js";

/** @typedef {{login: string, operator: number | null, organisation: string, role: string}} Who */

export const stream = new Stream();

/** @type {Who | null} */
let current = null;

/** Who is signed in; only asked where somebody is. @returns {Who} */
export function who() {
  if (!current) throw new Error("nobody is signed in");
  return current;
}

/** Finds the session of the cookie. @returns {Promise<Who | null>} */
export async function resume() {
  try {
    current = await get("/sessions/current");
  } catch (problem) {
    if (/** @type {any} */ (problem).status !== 401) throw problem;
    current = null;
  }
  return current;
}

/** @param {{login: string, password: string, organisation?: string}} credentials */
export async function signIn(credentials) {
  await exchange("POST", "/sessions", { body: credentials });
  return resume();
}

export async function signOut() {
  stream.stop();
  current = null;
  await remove("/sessions/current").catch(() => {});
}

/** Names of what is configured, by number; read once and again when somebody changes the floor. */
export const names = {
  /** @type {Map<number, string>} */ services: new Map(),
  /** @type {Map<number, {name: string, channel: string, service: number}>} */ queues: new Map(),
  /** @type {Map<number, string>} */ operators: new Map(),
  /** Reasons of statuses, those that the machine gives (missed, declined) too. @type {Map<number, {english: string, japanese: string}>} */
  reasons: new Map(),

  async load() {
    const role = who().role;
    // Nothing of what organisations do is for who keeps them.
    if (role === "server-administrator") return;
    for (const reason of await get("/floor/reasons")) this.reasons.set(reason.reason, reason);
    if (role !== "auditor") {
      for (const queue of await get("/queues")) this.queues.set(queue.queue, queue);
    }
    if (role === "operator" || role === "supervisor") {
      for (const service of await get("/issue-services")) this.services.set(service.service, service.name);
      let after;
      do {
        /** @type {any[]} */
        const page = await get("/operators", { limit: 200, after });
        for (const operator of page) this.operators.set(operator.operator, operator.name);
        after = page.length === 200 ? page[page.length - 1].operator : undefined;
      } while (after !== undefined);
    }
    const { operator } = who();
    if (operator !== null) {
      for (const service of (await get(`/operators/${operator}/desk`)).services) this.services.set(service.service, service.name);
    }
    if (role !== "operator") {
      const floor = await get("/floor");
      floor.services.forEach((/** @type {any} */ it, /** @type {number} */ n) => this.services.set(n, it.name));
      floor.operators.forEach((/** @type {any} */ it, /** @type {number} */ n) => this.operators.set(n, it.name));
    }
  },

  /** @param {number | null | undefined} number */
  queue(number) {
    return number === null || number === undefined ? "" : this.queues.get(number)?.name ?? `#${number}`;
  },
  /** @param {number | null | undefined} number */
  service(number) {
    return number === null || number === undefined ? "" : this.services.get(number) ?? `#${number}`;
  },
  /** @param {number | null | undefined} number */
  operator(number) {
    return number === null || number === undefined ? "" : this.operators.get(number) ?? `#${number}`;
  },
};
