// Tables that scroll within themselves, by keyboard too, so that the page never scrolls sideways.

import { h } from "../../element.js";
import { t } from "../../words.js";

/**
 * @typedef {import("../../element.js").Child} Child
 * @typedef {string | {text: Child, figure?: boolean, title?: string}} Head
 * @typedef {Child | Child[]} Cell
 */

/**
 * A table, or that nothing is there. The first cell of a row is its heading.
 * @param {string} caption what is listed
 * @param {Head[]} heads
 * @param {{cells: Cell[], data?: Record<string, string | number>, kind?: string}[]} rows
 * @param {{key?: string, empty?: string}} [more]
 */
export function table(caption, heads, rows, more = {}) {
  if (rows.length === 0) return h("p.empty", { data: { table: more.key ?? "" } }, more.empty ?? t("nothing"));
  const columns = heads.map((head) => (typeof head === "string" ? { text: head } : head));
  const cell = (/** @type {Cell} */ content, /** @type {number} */ at) => {
    const name = `${at === 0 ? "th" : "td"}${columns[at]?.figure ? ".figure" : ""}`;
    return h(name, at === 0 ? { scope: "row" } : null, content);
  };
  // The focus comes back to the same button of the same row when the table is read anew.
  const line = (/** @type {typeof rows[number]} */ row) => {
    const element = h(row.kind ? `tr.${row.kind}` : "tr", { data: row.data ?? {} }, row.cells.map(cell));
    element.querySelectorAll("button:not([data-key])").forEach((button, at) => {
      /** @type {HTMLElement} */ (button).dataset.key = [more.key, ...Object.values(row.data ?? {}), at].join("-");
    });
    return element;
  };
  return h("div.table", { role: "region", "aria-label": caption, tabindex: 0, data: { table: more.key ?? "", key: `table-${more.key ?? caption}` } },
    h("table", null,
      h("thead", null, h("tr", null, columns.map((head) => (head.text === "" ? h("td")
        : h(head.figure ? "th.figure" : "th", { scope: "col", title: head.title }, head.text))))),
      h("tbody", null, rows.map(line))));
}

/** A share as a percentage, never without the count that it is of. @param {number | null | undefined} share @param {number} [of] */
export function percent(share, of) {
  if (share === null || share === undefined) return "–";
  const text = `${(100 * share).toFixed(1).replace(/\.0$/, "")} %`;
  return of === undefined ? text : `${text} / ${of}`;
}
