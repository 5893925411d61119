// The list of tickets: whose, where they stand, what is late; many chosen at once for one change.

import { get } from "../../api.js";
import { field, h, replace, select } from "../../element.js";
import { show } from "../../dialog.js";
import { names, who } from "../../session.js";
import { moment } from "../../time.js";
import { addWords, t } from "../../words.js";
import { chosen, filtersOf, keepFilters, listAddress } from "../shared/filters.js";
import { follow } from "../shared/live.js";
import { Place } from "../shared/place.js";
import { CHANNELS, customerLink, operatorOptions, origin, owner, queueOptions, say, serviceOptions, ticketLink, TICKET_STATUSES, ticketStatus } from "../shared/say.js";
import { Pager, table } from "../shared/table.js";
import { Batch } from "./batch.js";
import { categoryOptions, lists } from "./lists.js";
import { newTicket } from "./new.js";

addWords({
  "tickets.search": ["Search subject, tags, fields and texts", "件名・タグ・項目・本文を検索"],
  "tickets.mine": ["Mine", "自分の担当"],
  "tickets.nobody": ["Nobody's", "未担当"],
  "tickets.all": ["All", "すべて"],
  "tickets.owner": ["Owner", "担当者"],
  "tickets.category": ["Category", "カテゴリ"],
  "tickets.tag": ["Tag", "タグ"],
  "tickets.channel": ["Channel", "チャネル"],
  "tickets.late": ["Late", "期限超過"],
  "tickets.late.only": ["Late ones only", "期限超過のみ"],
  "tickets.late.reply": ["Reply late", "初回返信遅れ"],
  "tickets.late.resolution": ["Resolution late", "解決遅れ"],
  "tickets.subject": ["Subject", "件名"],
  "tickets.subject.none": ["(no subject)", "(件名なし)"],
  "tickets.priority": ["Priority", "優先度"],
  "tickets.changed": ["Changed", "更新日時"],
  "tickets.choose": ["Choose ticket {ticket}", "チケット {ticket} を選択"],
  "tickets.choose-all": ["Choose all of this page", "このページをすべて選択"],
  "tickets.cut": ["There is more that fits: a longer text finds better.", "該当が多すぎます。検索語を長くしてください。"],
  "tickets.csv": ["Download as CSV", "CSVダウンロード"],
  "tickets.whose": ["Whose tickets", "担当の区分"],
  "tickets.more-filters": ["More filters", "詳しい絞り込み"],
});

const MORE = ["service", "queue", "category", "tag", "channel", "late", "owner", "customer"];

/** Whose tickets are shown: `me`, `none`, a number, or everybody's. @param {string | undefined} whose */
function ownerQuery(whose) {
  return whose === "me" ? String(who().operator) : whose;
}

/** @param {any} ticket */
export function lateMarks(ticket) {
  return [
    ticket.first_response_late && h("span.tag.late", null, t("tickets.late.reply")),
    ticket.resolution_late && h("span.tag.late", null, t("tickets.late.resolution")),
  ];
}

/** Sums of a group of counts, by status. @param {any} counts @param {string | undefined} whose @param {string | undefined} service */
function group(counts, whose, service) {
  if (whose === "me") return counts.own;
  const by = whose === "none" ? counts.unassigned : counts.services;
  const of = service === undefined ? Object.values(by) : [by[service] ?? {}];
  return Object.fromEntries(["new", "open", "pending", "solved"].map((status) =>
    [status, of.reduce((/** @type {number} */ sum, /** @type {any} */ it) => sum + (it[status] ?? 0), 0)]));
}

export class TicketList {
  /** @param {HTMLElement} into @param {string[]} rest */
  constructor(into, rest) {
    const { operator, role } = who();
    this.filters = filtersOf(rest, operator === null ? {} : { owner: "me" });
    this.counts = h("div");
    this.batch = new Batch(() => this.place.refresh().catch(() => {}));
    this.place = new Place(() => this.load());
    this.pager = new Pager(() => this.place.show());
    this.form = h("div");
    this.csv = h("a", { download: "tickets.csv", data: { key: "csv" } }, t("tickets.csv"));
    replace(into,
      h("div.title", null, h("h1", null, t("page.tickets")),
        h("div.buttons", null, role === "supervisor" && this.csv,
          h("button.primary", { type: "button", data: { key: "new" }, onclick: () => newTicket() }, t("new-ticket.title")))),
      this.counts, this.form, this.batch.element, this.place.element, this.pager.element);
    show(this.form, async () => this.filterForm(await lists()));
    this.place.show();
    this.unfollow = follow((it) => Boolean(it.event?.startsWith("ticket-")), () => this.place.refresh());
  }

  close() {
    this.unfollow();
  }

  /** What the server is asked for. */
  get query() {
    return { ...this.filters, owner: ownerQuery(this.filters.owner) };
  }

  /** @param {Partial<Record<string, string | undefined>>} change */
  filter(change) {
    const all = Object.entries({ ...this.filters, ...change }).filter(([, value]) => value !== undefined && value !== "");
    this.filters = /** @type {Record<string, string>} */ (Object.fromEntries(all));
    keepFilters("tickets", this.filters);
    this.pager.first();
    this.batch.clear();
    this.place.show();
  }

  async load() {
    const [page, counts] = await Promise.all([get("/tickets", { ...this.query, limit: 50, after: this.pager.after }), get("/tickets/counts")]);
    const values = Object.entries(this.query).filter(([, value]) => value !== undefined);
    this.csv.setAttribute("href", `/api/v1/tickets.csv?${new URLSearchParams(values.map(([key, value]) => [key, String(value)]))}`);
    this.showCounts(counts);
    this.pager.show(page.next);
    const all = h("input", { type: "checkbox", "aria-label": t("tickets.choose-all"), data: { key: "choose-all" }, onchange: () => {
      for (const ticket of page.items) this.batch.choose(ticket.id, /** @type {HTMLInputElement} */ (all).checked);
      for (const box of this.place.element.querySelectorAll("tbody input[type=checkbox]")) /** @type {HTMLInputElement} */ (box).checked = /** @type {HTMLInputElement} */ (all).checked;
    } });
    /** @type {HTMLInputElement} */ (all).checked = page.items.length > 0 && page.items.every((/** @type {any} */ it) => this.batch.chosen.has(it.id));
    return [
      page.cut && h("p.warning", null, t("tickets.cut")),
      table(t("page.tickets"), [
        all, t("shared.ticket"), t("tickets.subject"), t("ticket-status"), `#${t("tickets.priority")}`, t("tickets.owner"), t("shared.queue"),
        t("tickets.channel"), t("shared.customer"), t("tickets.changed"),
      ], page.items.map((/** @type {any} */ it) => this.row(it))),
    ];
  }

  /** @param {any} ticket */
  row(ticket) {
    const box = h("input", { type: "checkbox", "aria-label": say("tickets.choose", { ticket: ticket.id }), checked: this.batch.chosen.has(ticket.id), data: { key: `choose-${ticket.id}` },
      onchange: (/** @type {Event} */ event) => this.batch.choose(ticket.id, /** @type {HTMLInputElement} */ (event.target).checked) });
    return h("tr", { data: { ticket: ticket.id } },
      h("td", null, box),
      h("td", null, ticketLink(ticket.id)),
      h("td.subject", null, ticketLink(ticket.id, ticket.subject || t("tickets.subject.none")), " ",
        ticket.tags.map((/** @type {string} */ tag) => h("a.tag", { href: listAddress("tickets", { tag }) }, tag)), lateMarks(ticket)),
      h("td", null, ticketStatus(ticket.status)),
      h("td.figure", null, ticket.priority),
      h("td", null, owner(ticket.owner)),
      h("td", null, names.queue(ticket.queue)),
      h("td", null, t(`channel.${origin(ticket.origin).channel}`)),
      h("td", null, ticket.customer === null ? "" : customerLink(ticket.customer, String(ticket.customer))),
      h("td", null, moment(ticket.changed_us)));
  }

  /** Whose, with how many are not done; then where they stand. @param {any} counts */
  showCounts(counts) {
    const { owner, status, service } = this.filters;
    const undone = (/** @type {string | undefined} */ whose) => {
      const of = group(counts, whose, service);
      return of.new + of.open + of.pending;
    };
    const tab = (/** @type {string | undefined} */ whose, /** @type {string} */ text) => h("button.tab", {
      type: "button", "aria-pressed": String(owner === whose), data: { key: `owner-${whose ?? "all"}` }, onclick: () => this.own(whose),
    }, text, " ", h("span.count", null, undone(whose)));
    const known = owner === undefined || owner === "me" || owner === "none";
    const of = group(counts, owner, service);
    const chip = (/** @type {string | undefined} */ which) => h("button.chip", {
      type: "button", "aria-pressed": String(status === which), data: { key: `status-${which ?? "all"}` }, onclick: () => this.filter({ status: which }),
    }, which === undefined ? t("all") : t(`ticket-status.${which}`),
    known && which !== undefined && which !== "closed" ? [" ", h("span.count", null, of[which])] : null);
    replace(this.counts,
      h("div.tabs", { role: "group", "aria-label": t("tickets.whose") },
        who().operator !== null && tab("me", t("tickets.mine")), tab("none", t("tickets.nobody")), tab(undefined, t("tickets.all"))),
      h("div.chips", { role: "group", "aria-label": t("ticket-status") }, chip(undefined), TICKET_STATUSES.map(chip)));
  }

  /** @param {string | undefined} whose */
  own(whose) {
    const menu = /** @type {HTMLSelectElement | null} */ (this.form.querySelector("select[name=owner]"));
    if (menu) menu.value = whose ?? "";
    this.filter({ owner: whose });
  }

  /** @param {import("./lists.js").Lists} of */
  filterForm({ categories }) {
    const any = /** @type {[string, string]} */ (["", t("all")]);
    const one = (/** @type {string} */ name, /** @type {string} */ label, /** @type {[string | number, string][]} */ options) =>
      field(label, select({ name }, [any, ...options], this.filters[name] ?? ""));
    const whose = /** @type {[string, string][]} */ ([["none", t("shared.nobody")]]);
    if (who().operator !== null) whose.unshift(["me", t("shared.me")]);
    /** @type {HTMLFormElement} */
    const form = /** @type {HTMLFormElement} */ (h("form", {
      role: "search",
      onchange: () => apply(),
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        apply();
      },
    },
    h("div.search", null,
      h("input", { type: "search", name: "q", value: this.filters.q ?? "", minlength: 2, "aria-label": t("tickets.search"), placeholder: t("tickets.search"), autocomplete: "off", maxlength: 200 }),
      h("button", { type: "submit" }, t("search"))),
    h("details.more", { open: MORE.some((it) => it !== "owner" && this.filters[it]) }, h("summary", null, t("tickets.more-filters")),
      h("div.inline.filters", null,
        one("owner", t("tickets.owner"), [...whose, ...operatorOptions()]),
        serviceOptions().length > 1 && one("service", t("shared.service"), serviceOptions()),
        one("queue", t("shared.queue"), queueOptions("ticket")),
        one("category", t("tickets.category"), categoryOptions(categories)),
        one("channel", t("tickets.channel"), CHANNELS.map((it) => [it, t(`channel.${it}`)])),
        field(t("tickets.tag"), h("input", { name: "tag", value: this.filters.tag ?? "", autocomplete: "off", maxlength: 40 })),
        one("late", t("tickets.late"), [["true", t("tickets.late.only")]]),
        this.filters.customer && h("input", { type: "hidden", name: "customer", value: this.filters.customer }),
        h("button", { type: "button", data: { key: "reset" }, onclick: () => { location.hash = "#/tickets"; } }, t("shared.reset"))))));
    const apply = () => {
      if (!form.reportValidity()) return;
      const given = chosen(form);
      this.filter({ ...Object.fromEntries(["q", ...MORE].map((it) => [it, undefined])), ...given, tag: given.tag?.toLowerCase() });
    };
    return form;
  }
}
