// Customers: found by number or name, each with everything they had to do with us.

import { get } from "../api.js";
import { h, replace } from "../element.js";
import { names } from "../session.js";
import { moment } from "../time.js";
import { addWords, t } from "../words.js";
import { CustomerPage, newCustomer } from "./customers/customer.js";
import { wanted } from "./customers/find.js";
import { chosen, filtersOf, keepFilters } from "./shared/filters.js";
import { Place } from "./shared/place.js";
import { customerLink } from "./shared/say.js";
import { Pager, table } from "./shared/table.js";

addWords({
  "customers.find": ["Telephone number or part of a name", "電話番号または名前の一部"],
  "customers.new": ["New customer", "顧客を追加"],
  "customers.numbers": ["Telephone numbers", "電話番号"],
  "customers.served": ["Last served", "最終対応"],
  "customers.made": ["Record made", "登録日時"],
});

/** @param {any} customer */
function row(customer) {
  return h("tr", { data: { customer: customer.id } },
    h("td.subject", null, customerLink(customer.id, customer.name)),
    h("td", null, customer.numbers.join(", ")),
    h("td", null, customer.last_served_us ? `${moment(customer.last_served_us)} · ${names.operator(customer.last_operator)}` : ""),
    h("td", null, moment(customer.created_us)));
}

/** @param {HTMLElement} into @param {string[]} rest */
function listPage(into, rest) {
  let q = filtersOf(rest, {}).q ?? "";
  const place = new Place(async () => {
    const page = await get("/customers", { ...(q ? wanted(q) : {}), limit: 50, after: pager.after });
    pager.show(page.next);
    return table(t("page.customers"), [t("name"), t("customers.numbers"), t("customers.served"), t("customers.made")], page.items.map(row));
  });
  const pager = new Pager(() => place.show());
  const search = h("input", { type: "search", name: "q", value: q, "aria-label": t("customers.find"), placeholder: t("customers.find"), autocomplete: "off", maxlength: 200 });
  const form = /** @type {HTMLFormElement} */ (h("form.search", {
    role: "search",
    onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      q = chosen(form).q ?? "";
      keepFilters("customers", q ? { q } : {});
      pager.first();
      place.show();
    },
  }, search, h("button.primary", { type: "submit" }, t("search"))));
  replace(into,
    h("div.title", null, h("h1", null, t("page.customers")),
      h("button", { type: "button", data: { key: "new" }, onclick: newCustomer }, t("customers.new"))),
    form, place.element, pager.element);
  place.show();
}

/** @type {import("../main.js").Page} */
export const customersPage = {
  key: "customers",
  roles: ["operator", "supervisor"],
  open(into, rest) {
    if (rest[0] === undefined || rest[0] === "list") return listPage(into, rest);
    const page = new CustomerPage(into, Number(rest[0]));
    return () => page.close();
  },
};
