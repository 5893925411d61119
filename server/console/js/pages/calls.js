// Call records: a list with filters, and one record with everything that happened to the call.

import { get } from "../api.js";
import { field, h, replace, select } from "../element.js";
import { names, who } from "../session.js";
import { length, moment } from "../time.js";
import { addWords, t } from "../words.js";
import { cause, people, recordPage } from "./calls/record.js";
import { chosen, filtersOf, keepFilters } from "./shared/filters.js";
import { follow } from "./shared/live.js";
import { callLink, CAUSES, customerLink, operatorOptions, queueOptions, serviceOptions, ticketLink } from "./shared/say.js";
import { Place } from "./shared/place.js";
import { Pager, table } from "./shared/table.js";

addWords({
  "calls.direction": ["Direction", "方向"],
  "calls.number": ["Number", "電話番号"],
  "calls.came": ["Came", "開始"],
  "calls.over": ["Over", "終了"],
  "calls.end": ["End", "終了理由"],
  "calls.operators": ["Operators", "オペレーター"],
  "calls.missed-by": ["Missed by", "不応答"],
  "calls.wait": ["Wait", "待ち"],
  "calls.talk": ["Talk", "通話"],
  "calls.hold": ["Hold", "保留"],
  "calls.consult": ["Consult", "協議"],
  "calls.timeline": ["What happened", "経過"],
  "calls.figures": ["Figures", "詳細"],
  "calls.from": ["From", "開始日時"],
  "calls.to": ["To", "終了日時"],
  "calls.csv": ["Download as CSV", "CSVダウンロード"],
});

/** What a browser's field of date and time says, in microseconds since 1970. @param {string | undefined} text */
function microseconds(text) {
  const at = text ? new Date(text).getTime() : NaN;
  return Number.isNaN(at) ? undefined : at * 1000;
}

/** @param {import("./shared/filters.js").Filters} filters */
function query({ from, to, ...rest }) {
  return { ...rest, from_us: microseconds(from), to_us: microseconds(to) };
}

/** @param {import("./shared/filters.js").Filters} filters @param {() => void} change */
function filterForm(filters, change) {
  const any = /** @type {[string, string]} */ (["", t("all")]);
  const one = (/** @type {string} */ name, /** @type {string} */ label, /** @type {[string | number, string][]} */ options) =>
    field(label, select({ name }, [any, ...options], filters[name] ?? ""));
  const time = (/** @type {string} */ name) =>
    field(t(`calls.${name}`), h("input", { name, type: "datetime-local", value: filters[name] ?? "" }));
  return /** @type {HTMLFormElement} */ (h("form.inline.filters", { "aria-label": t("shared.filters"), onchange: change, onsubmit: (/** @type {Event} */ event) => event.preventDefault() },
    one("operator", t("shared.operator"), operatorOptions()),
    one("queue", t("shared.queue"), queueOptions("phone")),
    serviceOptions().length > 1 && one("service", t("shared.service"), serviceOptions()),
    one("cause", t("calls.end"), CAUSES.map((it) => [it, t(`cause.${it}`)])),
    time("from"), time("to"),
    filters.customer && h("input", { name: "customer", type: "hidden", value: filters.customer }),
    h("button", { type: "button", onclick: () => { location.hash = "#/calls"; } }, t("shared.reset"))));
}

/** @param {any} record */
function row(record) {
  return h("tr", { data: { call: record.id } },
    h("td", null, callLink(record.id)),
    h("td", null, moment(record.arrived_us)),
    h("td", null, t(record.outbound ? "shared.outbound" : "shared.inbound")),
    h("td", null, record.number ?? "", record.customer !== null && record.customer !== undefined ? [" ", customerLink(record.customer)] : null),
    h("td", null, names.queue(record.queue)),
    h("td", null, people(record.operators)),
    h("td", null, cause(record)),
    h("td.figure", null, length(record.wait_us)),
    h("td.figure", null, length(record.talk_us)),
    h("td.figure", null, length(record.hold_us)),
    h("td", null, record.ticket === null ? "" : ticketLink(record.ticket)));
}

/** @param {HTMLElement} into @param {string[]} rest */
function listPage(into, rest) {
  let filters = filtersOf(rest, {});
  const csv = h("a", { href: "", download: "call-records.csv", data: { key: "csv" } }, t("calls.csv"));
  const place = new Place(async () => {
    const page = await get("/call-records", { ...query(filters), limit: 50, after: pager.after });
    const values = Object.entries(query(filters)).filter(([, value]) => value !== undefined);
    csv.setAttribute("href", `/api/v1/call-records.csv?${new URLSearchParams(values.map(([key, value]) => [key, String(value)]))}`);
    pager.show(page.next);
    return table(t("page.calls"), [
      t("shared.call"), t("calls.came"), t("calls.direction"), t("calls.number"), t("shared.queue"), t("calls.operators"),
      t("calls.end"), `#${t("calls.wait")}`, `#${t("calls.talk")}`, `#${t("calls.hold")}`, t("shared.ticket"),
    ], page.items.map(row));
  });
  const pager = new Pager(() => place.show());
  const form = filterForm(filters, () => {
    filters = chosen(form);
    keepFilters("calls", filters);
    pager.first();
    place.show();
  });
  replace(into,
    h("div.title", null, h("h1", null, t("page.calls")), who().role === "supervisor" && csv),
    form, place.element, pager.element);
  place.show();
  const concerns = ["call-arrived", "dial-started", "call-answered", "call-ended"];
  return follow((it) => concerns.includes(it.event ?? "") && pager.after === undefined, () => place.refresh());
}

/** @type {import("../main.js").Page} */
export const callsPage = {
  key: "calls",
  roles: ["operator", "supervisor", "planner"],
  open(into, rest) {
    const id = rest[0];
    if (id === undefined || id === "list") return listPage(into, rest);
    const place = new Place(() => recordPage(id));
    replace(into, place.element);
    place.show();
    return follow((it) => String(it.call ?? "").split("-")[0] === id, () => place.refresh());
  },
};
