// One ticket with everything about it: history, call, chat, customer, clocks; everything that can be done to it.

import { exchange, get, Refused } from "../../api.js";
import { field, h, replace, values } from "../../element.js";
import { attempt, dialog, show, tell } from "../../dialog.js";
import { names, who } from "../../session.js";
import { addWords, t } from "../../words.js";
import { terms } from "../calls/record.js";
import { Draft } from "../shared/draft.js";
import { follow } from "../shared/live.js";
import { numberOf, origin, owner, ticketLink, ticketStatus } from "../shared/say.js";
import { Around } from "./around.js";
import { ClockCard } from "./clocks.js";
import { Composer } from "./composer.js";
import { detailsForm } from "./details.js";
import { lateMarks } from "./list.js";
import { lists } from "./lists.js";
import { IssuesCard } from "./issues.js";
import { forwardDialog, likelyResolution, NEXT, solveDialog } from "./orders.js";
import { Timeline } from "./timeline.js";

addWords({
  "ticket.do": ["What can be done", "操作"],
  "ticket.to-open": ["Open", "対応中にする"],
  "ticket.reopen": ["Open again", "再オープン"],
  "ticket.to-pending": ["Pending", "保留にする"],
  "ticket.to-solved": ["Solve …", "解決…"],
  "ticket.finish": ["Put down", "手元から外す"],
  "ticket.finish.hint": ["It stays yours, and another can be assigned to you", "担当のまま、次の割り当てを受けられます"],
  "ticket.merge": ["Merge …", "統合…"],
  "ticket.merge.text": ["The other ticket becomes part of this one and is closed as a duplicate; its texts stay with it.", "指定したチケットをこのチケットに統合し、重複として完了します。本文は元のチケットに残ります。"],
  "ticket.link": ["Link …", "関連付け…"],
  "ticket.other": ["Number of the other ticket", "相手のチケット番号"],
  "ticket.other.unknown": ["There is no such ticket for you", "該当するチケットがありません"],
  "ticket.history": ["History", "履歴"],
  "ticket.state": ["Where it stands", "状態"],
  "ticket.linked": ["Linked", "関連"],
  "ticket.absorbed": ["Merged in", "統合したチケット"],
  "ticket.merged-into": ["Became part of", "統合先"],
  "ticket.reopened": ["Opened again", "再オープン回数"],
  "ticket.score": ["Customer's score", "顧客評価"],
  "ticket.changed-meanwhile": ["Somebody else changed this ticket meanwhile: look at it and try again.", "他の人が先に変更しました。内容を確認してやり直してください。"],
  "ticket.new-one": ["It was closed for good: this is the new ticket", "完了済みのため、新しいチケットを作成しました"],
});

/** How often the ticket is read beside its events: notes and edited fields come without one. */
const READ_MS = 15_000;

export class TicketPage {
  /** @param {HTMLElement} into @param {number} id */
  constructor(into, id) {
    this.id = id;
    this.path = `/tickets/${id}`;
    /** @type {any} */
    this.ticket = null;
    /** @type {string | null} */
    this.etag = null;
    /** @type {import("./lists.js").Lists} */
    this.lists = { categories: [], fields: [], templates: [] };
    /** Whether it is on the operator's desk by assignment. */
    this.inHand = false;
    this.over = false;
    this.draft = new Draft(`ticket-${id}`);
    this.head = h("div");
    this.does = h("div.buttons", { role: "toolbar", "aria-label": t("ticket.do") });
    this.state = h("div");
    this.clocks = new ClockCard();
    this.timeline = new Timeline();
    this.around = new Around();
    this.issues = new IssuesCard({ reread: () => this.reread(), take: (ticket, etag) => this.take(ticket, etag) });
    this.root = h("div.room", { data: { ticketPage: id } });
    replace(into, this.root);
    show(this.root, () => this.open());
    this.unfollow = follow((it) => this.concerns(it), () => this.reread(), READ_MS);
  }

  close() {
    this.over = true;
    this.unfollow();
  }

  /** @param {import("../../stream.js").Happened} happened */
  concerns(happened) {
    if (this.ticket === null) return Boolean(happened.ticket) && numberOf(String(happened.ticket)) === this.id;
    const { reference } = origin(this.ticket.origin);
    if (happened.ticket) return numberOf(String(happened.ticket)) === this.id;
    if (happened.event === "chat-lines-missed") return true;
    return reference !== null && (happened.call === reference || happened.chat === reference || Boolean(happened.work && Object.values(happened.work).includes(reference)));
  }

  async open() {
    const [{ value, etag }, all] = await Promise.all([exchange("GET", this.path), lists()]);
    [this.ticket, this.etag, this.lists] = [value, etag, all];
    this.details = detailsForm({
      ticket: value, etag, lists: all, draft: this.draft,
      saved: (ticket, etag) => this.take(ticket, etag),
      reread: () => this.reread(),
    });
    this.composer = new Composer({
      ticket: value, templates: all.templates, draft: this.draft,
      etag: () => this.etag,
      written: (answer, etag) => this.written(answer, etag),
      reread: () => this.reread(),
      move: (status) => this.move(status),
    });
    await Promise.all([this.around.load(value), this.issues.load(value), this.readDesk()]);
    this.render();
    const card = (/** @type {string} */ name, /** @type {import("../../element.js").Child[]} */ ...content) =>
      h("section.card", { "aria-label": t(name) }, h("h2", null, t(name)), content);
    return [
      h("p", null, h("a", { href: "#/tickets" }, `← ${t("shared.back")}`)),
      this.head, this.does,
      h("div.beside", null,
        h("div", null, card("ticket.history", this.timeline.element), this.composer.element),
        h("div", null,
          card("ticket.state", this.state, this.clocks.element),
          card("shared.customer", this.around.customer, this.around.inquiry),
          card("issues.title", this.issues.element),
          card("details.title", this.details.element))),
    ];
  }

  /** Whether the ticket is in hand is only known by the desk. */
  async readDesk() {
    const { operator } = who();
    if (operator === null || this.ticket.owner !== operator || this.ticket.queue === null) {
      this.inHand = false;
      return;
    }
    const desk = await get(`/operators/${operator}/desk`).catch(() => null);
    this.inHand = Boolean(desk?.tickets.some((/** @type {string} */ it) => numberOf(it) === this.id));
  }

  /** @returns {Promise<void>} */
  async reread() {
    // A call's ticket may come an instant after its page is open.
    if (this.ticket === null) return show(this.root, () => this.open());
    const { value, etag } = await exchange("GET", this.path);
    if (this.over) return;
    // An answer that was overtaken by a newer one.
    if (value.revision < this.ticket.revision) return;
    [this.ticket, this.etag] = [value, etag];
    await Promise.all([this.around.load(value), this.issues.load(value), this.readDesk()]);
    if (!this.over) this.take(value, etag);
  }

  /** The ticket as it is now. @param {any} ticket @param {string | null} etag */
  take(ticket, etag) {
    if (ticket.revision < this.ticket.revision) return;
    [this.ticket, this.etag] = [ticket, etag];
    this.details?.take(ticket, etag);
    this.composer?.take(ticket);
    this.render();
  }

  render() {
    const { ticket } = this;
    document.title = `#${this.id} ${ticket.subject} · Callfloor`;
    replace(this.head, h("h1.ticket-title", { data: { key: "title" } },
      h("span.faint", null, `#${this.id} `), ticket.subject || t("tickets.subject.none"), " ", ticketStatus(ticket.status), lateMarks(ticket)));
    replace(this.does, this.buttons());
    replace(this.state, this.terms(), this.around.calls);
    this.issues.render(ticket);
    this.clocks.take(ticket);
    this.timeline.take({ lines: ticket.lines, fields: this.lists.fields, calls: this.around.records, chat: this.around.chat, accounts: ticket.accounts });
  }

  terms() {
    const { ticket } = this;
    const links = (/** @type {number[]} */ ids) => ids.length > 0 && h("span", null, ids.map((it) => [ticketLink(it), " "]).flat());
    return terms([
      [t("tickets.owner"), owner(ticket.owner)],
      [t("shared.service"), names.service(ticket.service)],
      [t("shared.queue"), names.queue(ticket.queue)],
      [t("tickets.channel"), t(`channel.${origin(ticket.origin).channel}`)],
      [t("order.resolution"), ticket.resolution && t(`resolution.${ticket.resolution}`)],
      [t("ticket.linked"), links(ticket.linked)],
      [t("ticket.absorbed"), links(ticket.absorbed)],
      [t("ticket.merged-into"), ticket.merged_into !== null && ticketLink(ticket.merged_into)],
      [t("ticket.reopened"), ticket.reopened > 0 && String(ticket.reopened)],
      [t("ticket.score"), ticket.score !== null && `${ticket.score} / 5`],
    ]);
  }

  buttons() {
    const { ticket } = this;
    const { operator } = who();
    const button = (/** @type {string} */ key, /** @type {string} */ text, /** @type {() => unknown} */ press, kind = "plain", title = "") =>
      h(`button.${kind}`, { type: "button", title: title || null, data: { key }, onclick: press }, text);
    const handed = !["solved", "closed"].includes(ticket.status);
    return [
      handed && operator !== null && ticket.owner !== operator && button("pull", t("order.pull"), () => this.order("pull"), "primary"),
      NEXT[ticket.status].map((/** @type {string} */ to) => button(`to-${to}`, t(ticket.status === "solved" ? "ticket.reopen" : `ticket.to-${to}`), () => this.ask(to))),
      handed && button("forward", `${t("order.forward")} …`, () => forwardDialog((to) => this.now("forward", to), ticket)),
      this.inHand && button("finish", t("ticket.finish"), () => this.order("finish"), "plain", t("ticket.finish.hint")),
      ticket.status !== "closed" && button("merge", t("ticket.merge"), () => this.other("merge")),
      button("link", t("ticket.link"), () => this.other("link")),
    ].flat();
  }

  /** @param {string} status */
  ask(status) {
    if (status === "solved") solveDialog(likelyResolution(this.ticket.origin), (resolution) => this.moveNow({ status, resolution }));
    else this.move(status);
  }

  /** @param {string} status */
  move(status) {
    return attempt(() => this.moveNow(status === "solved" ? { status, resolution: likelyResolution(this.ticket.origin) } : { status }));
  }

  /** @param {{status: string, resolution?: string}} to */
  async moveNow(to) {
    const { etag } = this;
    await this.now("status", to, etag);
  }

  /** @param {string} what @param {unknown} [body] */
  order(what, body) {
    return attempt(() => this.now(what, body));
  }

  /** Gives an order; where somebody was faster, the ticket is read anew. @param {string} what @param {unknown} [body] @param {string | null} [etag] */
  async now(what, body, etag) {
    try {
      const done = await exchange("POST", `${this.path}/${what}`, { body, etag });
      this.take(done.value, done.etag);
      await this.readDesk();
      this.render();
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 412) throw problem;
      await this.reread();
      throw new Error(t("ticket.changed-meanwhile"));
    }
  }

  /** Asks which other ticket, shows which one it is, then merges or links. @param {"merge" | "link"} what */
  other(what) {
    const found = h("p", { role: "status" });
    let last = "";
    const look = async (/** @type {string} */ number) => {
      last = number;
      replace(found);
      if (!/^\d+$/.test(number)) return;
      const other = await get(`/tickets/${number}`).catch(() => null);
      if (last === number) replace(found, other ? [`#${other.id} ${other.subject} `, ticketStatus(other.status)] : t("ticket.other.unknown"));
    };
    dialog({
      title: t(`ticket.${what}`),
      key: what,
      content: [
        what === "merge" && h("p", null, t("ticket.merge.text")),
        field(t("ticket.other"), h("input", { name: "ticket", inputmode: "numeric", pattern: "[0-9]+", required: true, autofocus: true, autocomplete: "off",
          oninput: (/** @type {Event} */ event) => look(/** @type {HTMLInputElement} */ (event.target).value.trim()) })),
        found,
      ],
      submit: (form) => this.now(what, { ticket: Number(values(form).ticket) }),
    });
  }

  /** Something was written. @param {any} answer @param {string | null} etag */
  written(answer, etag) {
    if (answer.id !== this.id) {
      tell(t("ticket.new-one"));
      location.hash = `#/tickets/${answer.id}`;
      return;
    }
    this.take(answer, etag);
    this.timeline.list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }
}
