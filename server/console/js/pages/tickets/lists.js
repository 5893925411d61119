// Categories, custom fields and templates: small lists that seldom change, read once a minute at most.

import { get } from "../../api.js";

const FRESH_MS = 60_000;
/** @type {Map<string, {at: number, found: Promise<any[]>}>} */
const read = new Map();

/** @param {"ticket-categories" | "ticket-fields" | "ticket-templates"} list @returns {Promise<any[]>} */
function listed(list) {
  const known = read.get(list);
  if (known && Date.now() - known.at < FRESH_MS) return known.found;
  const found = get(`/${list}`);
  read.set(list, { at: Date.now(), found });
  found.catch(() => read.delete(list));
  return found;
}

/** @typedef {{categories: any[], fields: any[], templates: any[]}} Lists */

/** @returns {Promise<Lists>} */
export async function lists() {
  const [categories, fields, templates] = await Promise.all([listed("ticket-categories"), listed("ticket-fields"), listed("ticket-templates")]);
  return { categories, fields, templates };
}

/** A category with those above it: `Billing / Refund`. @param {any[]} categories @param {number | null | undefined} id */
export function categoryName(categories, id) {
  const names = [];
  for (let at = categories.find((it) => it.id === id); at && names.length < 6; at = categories.find((it) => it.id === at.under)) names.unshift(at.name);
  return names.join(" / ");
}

/** Categories to choose; one that is retired only where it is chosen. @param {any[]} categories @param {number | null} [chosen] @returns {[number, string][]} */
export function categoryOptions(categories, chosen) {
  const all = categories.filter((it) => !it.retired || it.id === chosen);
  return all.map((it) => /** @type {[number, string]} */ ([it.id, categoryName(categories, it.id)])).sort(([, a], [, b]) => a.localeCompare(b));
}
