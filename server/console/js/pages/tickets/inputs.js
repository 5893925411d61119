// Inputs of a ticket's own and custom fields, as texts.

import { h, select } from "../../element.js";
import { addWords, t } from "../../words.js";

addWords({
  "input.tags.hint": ["Letters, digits, - and _; a space between", "英数字・かな漢字・-・_。空白で区切る"],
  "input.required": ["required to solve", "解決に必須"],
});

/** Words to find a ticket by. @param {string} text @returns {string[]} */
export function tagsOf(text) {
  return [...new Set(text.toLowerCase().split(/[\s,、]+/).filter(Boolean))].sort();
}

/** The input for what can stand in a custom field. @param {any} field @param {import("../../element.js").Properties} [properties] */
export function customInput(field, properties = {}) {
  const { kind } = field;
  switch (kind.kind) {
    case "number": return h("input", { ...properties, type: "number", step: 1 });
    case "date": return h("input", { ...properties, type: "date" });
    case "check": return h("input", { ...properties, type: "checkbox" });
    case "choice": return select(properties, [["", ""], ...kind.options.map((/** @type {string} */ it) => [it, it])]);
    default:
      return kind.most > 200 ? h("textarea", { ...properties, rows: 3, maxlength: kind.most }) : h("input", { ...properties, maxlength: kind.most });
  }
}

/** A custom field's label. @param {any} field */
export function customLabel(field) {
  return field.required ? `${field.name} (${t("input.required")})` : field.name;
}
