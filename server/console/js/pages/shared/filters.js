// Filters of a list: they stand in the address, so that a list that is come back to is the same.

/** @typedef {Record<string, string>} Filters */

/** The filters of an address `#/PAGE/list/a=1&b=2`; without any, those that are usual. @param {string[]} rest @param {Filters} usual @returns {Filters} */
export function filtersOf(rest, usual) {
  return rest[0] === "list" ? Object.fromEntries(new URLSearchParams(rest[1] ?? "")) : { ...usual };
}

/** The address of a list. @param {string} page @param {Record<string, string | number | undefined>} filters */
export function listAddress(page, filters) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filters)) if (value !== undefined && value !== "") query.set(key, String(value));
  return `#/${page}/list/${encodeURIComponent(String(query))}`;
}

/** Puts the filters into the address without opening the page anew. @param {string} page @param {Filters} filters */
export function keepFilters(page, filters) {
  history.replaceState(null, "", listAddress(page, filters));
}

/** What a form's filters are, empty ones left out. @param {HTMLFormElement} form @returns {Filters} */
export function chosen(form) {
  /** @type {Filters} */
  const filters = {};
  for (const [key, value] of new FormData(form)) if (typeof value === "string" && value.trim() !== "") filters[key] = value.trim();
  return filters;
}
