// The floor's configuration: read with its version, changed under that version, so that nobody overwrites another's work.

import { exchange, Refused } from "../../api.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";

addWords({
  "administration.changed": [
    "Somebody else changed the floor meanwhile. It was read anew, and what you typed is kept: look at it, then save again.",
    "他の人が設定を変更しました。最新の設定を読み込み、入力内容は残してあります。確認してもう一度保存してください。",
  ],
});

/** Somebody else changed the floor; it has been read anew. */
export class Changed extends Error {
  constructor() {
    super(t("administration.changed"));
  }
}

export const floor = {
  /** The body of `GET /floor`. @type {any} */ value: null,
  /** Its version. @type {string | null} */ etag: null,
  /** What can be played. @type {{audio: number, name: string, built_in: boolean, recording: any, text: string | null}[]} */ audio: [],

  async load() {
    const [{ value, etag }, audio] = await Promise.all([exchange("GET", "/floor"), exchange("GET", "/floor/audio")]);
    this.value = value;
    this.etag = etag;
    this.audio = audio.value;
    // Other pages show the names as they are now.
    value.services.forEach((/** @type {any} */ it, /** @type {number} */ n) => names.services.set(n, it.name));
    value.queues.forEach((/** @type {any} */ it, /** @type {number} */ n) => names.queues.set(n, it));
    value.operators.forEach((/** @type {any} */ it, /** @type {number} */ n) => names.operators.set(n, it.name));
    return value;
  },

  /**
   * Changes the floor as it was last read, and reads it anew.
   * @param {"POST" | "PUT" | "DELETE"} method @param {string} path @param {unknown} [body] @param {Record<string, unknown>} [query]
   * @returns {Promise<any>} what the server answers
   */
  async write(method, path, body, query) {
    try {
      const { value } = await exchange(method, path, { body, query, etag: this.etag });
      await this.load();
      return value;
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.rule !== "floor-version") throw problem;
      await this.load();
      throw new Changed();
    }
  },
};

/** Whether two values of JSON are the same, whatever the order of their fields. @param {any} a @param {any} b @returns {boolean} */
export function same(a, b) {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/**
 * Both people's changes of one thing: where only one changed a field, that one's; where both did, mine. Lists are one field.
 * @param {any} base as it was for both @param {any} mine @param {any} theirs
 * @param {string[]} both takes the fields that both changed
 * @returns {any}
 */
export function merge(base, mine, theirs, both, path = "") {
  if (same(base, mine)) return structuredClone(theirs);
  if (same(base, theirs) || same(mine, theirs)) return mine;
  const plain = (/** @type {any} */ it) => typeof it === "object" && it !== null && !Array.isArray(it);
  if (!plain(base) || !plain(mine) || !plain(theirs)) {
    both.push(path);
    return mine;
  }
  const keys = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return Object.fromEntries([...keys].map((key) => [key, merge(base[key], mine[key], theirs[key], both, path ? `${path}.${key}` : key)]));
}
