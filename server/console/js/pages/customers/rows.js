// Details that an organisation keeps by its own names: rows of a name and a value.

import { h } from "../../element.js";
import { addWords, t } from "../../words.js";

addWords({
  "rows.value": ["Value", "値"],
  "rows.add": ["Add a detail", "項目を追加"],
});

/** @typedef {[name: string, value: string]} Row */

/** Rows in the order of their names. @param {Row[]} rows */
export function ordered(rows) {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

export class Rows {
  constructor() {
    this.list = h("ul.pairs");
    this.element = h("div", { role: "group" }, this.list,
      h("button", { type: "button", onclick: () => this.add(["", ""]).focus() }, t("rows.add")));
  }

  /** The rows as a field of a versioned form: a list in JSON. @param {string} label @returns {import("../shared/versioned.js").VersionedField} */
  field(label) {
    this.element.setAttribute("aria-label", label);
    return {
      key: "fields", label, element: this.element,
      read: () => JSON.stringify(this.rows()),
      write: (value) => {
        this.list.replaceChildren();
        for (const row of /** @type {Row[]} */ (JSON.parse(value || "[]"))) this.add(row);
      },
      words: (value) => /** @type {Row[]} */ (JSON.parse(value)).map(([name, text]) => `${name}: ${text}`).join(", "),
    };
  }

  /** Those that have a name. @returns {Row[]} */
  rows() {
    const inputs = [...this.list.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value.trim()));
    const named = /** @type {Row[]} */ (inputs.filter(([name]) => name !== ""));
    return ordered([...new Map(named)]);
  }

  /** @param {Row} row */
  add([name, value]) {
    const input = h("input", { value: name, "aria-label": t("name"), placeholder: t("name"), maxlength: 60 });
    const row = h("li", null, input,
      h("input", { value, "aria-label": `${name} ${t("rows.value")}`.trim(), placeholder: t("rows.value"), maxlength: 2_000 }),
      h("button.quiet", { type: "button", "aria-label": `${t("remove")} ${name}`.trim(), onclick: () => {
        row.remove();
        this.element.dispatchEvent(new Event("input", { bubbles: true }));
      } }, "×"));
    this.list.append(row);
    return input;
  }
}
