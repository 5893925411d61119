// Inputs that write what is typed into a copy of the configuration, field by field.

import { h, select } from "../../element.js";

/** Milliseconds of what lengths are typed in. */
export const UNIT = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** @typedef {import("../../element.js").Properties} Properties */

export class Bound {
  /**
   * @param {Record<string, any>} of what is edited
   * @param {string} prefix tells its inputs from others of the page
   * @param {() => void} [changed] called after every change
   */
  constructor(of, prefix, changed = () => {}) {
    this.of = of;
    this.prefix = prefix;
    this.changed = changed;
  }

  /** @param {string} key */
  name(key) {
    return this.prefix ? `${this.prefix}.${key}` : key;
  }

  /** @param {string} key @param {Properties} properties @param {(text: string) => any} read */
  input(key, properties, read) {
    return h("input", {
      ...properties, name: this.name(key), data: { key: this.name(key) },
      oninput: (/** @type {Event} */ event) => {
        this.of[key] = read(/** @type {HTMLInputElement} */ (event.target).value);
        this.changed();
      },
    });
  }

  /** A line of text; an empty one is `null` where that is allowed. @param {string} key @param {Properties & {optional?: boolean}} [more] */
  text(key, more = {}) {
    const { optional, ...properties } = more;
    return this.input(key, { type: "text", required: !optional, autocomplete: "off", maxlength: 60, value: this.of[key] ?? "", ...properties },
      (text) => (optional && text.trim() === "" ? null : text));
  }

  /** Lines of text. @param {string} key @param {Properties} [more] */
  area(key, more = {}) {
    return h("textarea", {
      rows: 4, name: this.name(key), data: { key: this.name(key) }, ...more, value: this.of[key] ?? "",
      oninput: (/** @type {Event} */ event) => {
        this.of[key] = /** @type {HTMLTextAreaElement} */ (event.target).value;
        this.changed();
      },
    });
  }

  /** A whole number. @param {string} key @param {Properties & {optional?: boolean}} [more] */
  whole(key, more = {}) {
    const { optional, ...properties } = more;
    return this.input(key, { type: "number", min: 0, step: 1, required: !optional, value: this.of[key] ?? "", ...properties },
      (text) => (text === "" ? null : Math.round(Number(text))));
  }

  /** A length of time, kept in milliseconds. @param {string} key @param {number} unit milliseconds of what is typed
   * @param {Properties & {optional?: boolean}} [more] */
  span(key, unit, more = {}) {
    const { optional, ...properties } = more;
    const now = this.of[key];
    return this.input(key, {
      type: "number", min: 0, step: "any", required: !optional, value: now === null || now === undefined ? "" : now / unit, ...properties,
    }, (text) => (text === "" ? null : Math.round(Number(text) * unit)));
  }

  /** A share, typed as a percentage. @param {string} key @param {Properties} [more] */
  percent(key, more = {}) {
    const now = this.of[key];
    return this.input(key, {
      type: "number", min: 0, max: 100, step: "any", ...more, value: now === null || now === undefined ? "" : Number((100 * now).toFixed(4)),
    }, (text) => (text === "" ? null : Number(text) / 100));
  }

  /** Yes or no, with its words behind it. @param {string} key @param {string} text @param {string} [hint] */
  flag(key, text, hint) {
    return check(text, {
      name: this.name(key), checked: Boolean(this.of[key]), data: { key: this.name(key) },
      onchange: (/** @type {Event} */ event) => {
        this.of[key] = /** @type {HTMLInputElement} */ (event.target).checked;
        this.changed();
      },
    }, hint);
  }

  /** One of several. Values may be anything that JSON has. @param {string} key @param {[value: any, text: string][]} options
   * @param {Properties} [more] */
  choice(key, options, more = {}) {
    const now = JSON.stringify(this.of[key] ?? null);
    // What is chosen but no longer there stays to be seen.
    const known = options.some(([value]) => JSON.stringify(value) === now);
    return select({
      ...more, name: this.name(key), data: { key: this.name(key) },
      onchange: (/** @type {Event} */ event) => {
        this.of[key] = JSON.parse(/** @type {HTMLSelectElement} */ (event.target).value);
        this.changed();
      },
    }, [...(known ? [] : /** @type {[string, string][]} */ ([[now, now === "null" ? "–" : now]])),
      ...options.map(([value, text]) => /** @type {[string, string]} */ ([JSON.stringify(value), text]))], now);
  }
}

/** A box to tick with its words behind it. @param {string} text @param {Properties} properties @param {string} [hint] */
export function check(text, properties, hint) {
  return h("label.check", null, h("input", { ...properties, type: "checkbox" }), h("span", null, text, hint && h("small", null, hint)));
}

/** An item of a list at another place. @template T @param {T[]} list @param {number} from @param {number} to */
export function move(list, from, to) {
  if (to < 0 || to >= list.length) return;
  list.splice(to, 0, ...list.splice(from, 1));
}

/** Puts the focus on the first of these that is there and can be used. @param {...string} keys as in `data-key` */
export function focus(...keys) {
  for (const key of keys) {
    const found = /** @type {HTMLElement | null} */ (document.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`));
    if (found) return found.focus();
  }
}
