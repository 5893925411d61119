// Tables that scroll in themselves, and the way from page to page.

import { h, replace } from "../../element.js";
import { t } from "../../words.js";
import { say } from "./say.js";

/** @typedef {import("../../element.js").Child} Child */

/**
 * A table. A head that begins with `#` is over figures.
 * @param {string} label
 * @param {Child[]} heads
 * @param {HTMLElement[]} rows
 */
export function table(label, heads, rows) {
  if (rows.length === 0) return h("p.empty", null, t("nothing"));
  const head = (/** @type {Child} */ of) => typeof of === "string" && of.startsWith("#")
    ? h("th.figure", { scope: "col" }, of.slice(1)) : h("th", { scope: "col" }, of);
  return h("div.table", { role: "region", tabindex: 0, "aria-label": label },
    h("table.list", null, h("thead", null, h("tr", null, heads.map(head))), h("tbody", null, rows)));
}

/** Pages of a list whose server gives a cursor for the next one. */
export class Pager {
  /** @param {() => unknown} turn */
  constructor(turn) {
    this.turn = turn;
    this.element = h("nav.pager", { "aria-label": t("shared.pages") });
    this.first();
  }

  first() {
    /** Cursors of the pages up to this one. @type {(string | undefined)[]} */
    this.cursors = [undefined];
  }

  get after() {
    return this.cursors[this.cursors.length - 1];
  }

  /** @param {string | number | null | undefined} next the cursor of the next page */
  show(next) {
    const page = this.cursors.length;
    const more = next !== null && next !== undefined;
    this.element.hidden = page === 1 && !more;
    const go = (/** @type {() => void} */ step) => () => {
      step();
      this.turn();
    };
    replace(this.element,
      h("button", { type: "button", disabled: page === 1, data: { key: "previous" }, onclick: go(() => this.cursors.pop()) }, t("shared.previous")),
      h("span", { role: "status" }, say("shared.page", { page })),
      h("button", { type: "button", disabled: !more, data: { key: "next" }, onclick: go(() => this.cursors.push(String(next))) }, t("shared.next")));
  }
}
