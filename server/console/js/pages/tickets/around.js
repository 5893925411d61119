// What belongs to a ticket and is kept elsewhere: its call's record, its chat's lines, its customer.

import { get } from "../../api.js";
import { h, replace } from "../../element.js";
import { length } from "../../time.js";
import { addWords, t } from "../../words.js";
import { cause, people, terms } from "../calls/record.js";
import { history } from "../customers/history.js";
import { dialled, dialledAll } from "../shared/dial.js";
import { callLink, customerLink, numberOf, origin } from "../shared/say.js";

addWords({
  "around.no-customer": ["No customer is known", "顧客は未登録です"],
  "around.history": ["Earlier", "これまでの対応"],
  "around.inquiry": ["Inquiry", "問い合わせ"],
  "around.member": ["Member", "会員"],
  "around.email": ["E-mail", "メール"],
  "around.phone": ["Telephone", "電話"],
  "around.files": ["Files", "添付ファイル"],
  "around.by-form": ["By the inquiry form", "お問い合わせフォームから"],
  "around.whole": ["Whole history", "すべての履歴"],
});

/** Contacts of the customer that are shown beside a ticket. */
const SHOWN = 5;
/** Lines of a chat that are read at once. */
const PAGE = 200;

export class Around {
  constructor() {
    this.calls = h("div");
    this.customer = h("div");
    /** Whom a written ticket is from, and its files. */
    this.inquiry = h("div", { hidden: true, data: { key: "inquiry" } });
    /** @type {any[]} */
    this.records = [];
    /** @type {any[]} */
    this.chat = [];
    /** @type {any[]} */
    this.contacts = [];
  }

  /** Reads what belongs to the ticket; what may not be read, or is not there, is left out. @param {any} ticket */
  async load(ticket) {
    const [customer, contacts] = await this.about(ticket.customer);
    this.contacts = contacts;
    await Promise.all([this.readCalls(ticket), this.readChat(ticket), this.readInquiry(ticket)]);
    replace(this.customer, customer === null ? h("p.empty", null, t("around.no-customer")) : this.card(customer, ticket.id));
  }

  /** @param {number | null} id @returns {Promise<[any, any[]]>} */
  async about(id) {
    if (id === null) return [null, []];
    return /** @type {Promise<[any, any[]]>} */ (Promise.all([get(`/customers/${id}`), get(`/customers/${id}/timeline`)]).catch(() => [null, []]));
  }

  /** The call that the ticket comes from, and any other of the customer that has it. @param {any} ticket */
  async readCalls(ticket) {
    const { channel, reference } = origin(ticket.origin);
    const ids = new Set(this.contacts.filter((it) => it.kind === "call" && it.ticket === ticket.id).map((it) => it.call));
    if (reference && channel !== "chat") ids.add(numberOf(reference));
    const found = await Promise.all([...ids].map((id) => get(`/call-records/${id}`).catch(() => null)));
    this.records = found.filter((it) => it !== null);
    replace(this.calls, this.records.map((it) => h("div", { data: { call: it.id } }, terms([
      [t("shared.call"), [callLink(it.id), " ", cause(it)]],
      [t("calls.number"), dialled(it.number)],
      [t("calls.operators"), people(it.operators)],
      [t("calls.wait"), length(it.wait_us)],
      [t("calls.talk"), length(it.talk_us)],
      [t("calls.hold"), length(it.hold_us)],
      [t("calls.consult"), it.consult_us > 0 && length(it.consult_us)],
    ]))));
  }

  /** Lines of the ticket's chat after those that are known. @param {any} ticket */
  async readChat(ticket) {
    const { channel, reference } = origin(ticket.origin);
    if (channel !== "chat" || !reference) return;
    for (;;) {
      const after = this.chat[this.chat.length - 1]?.sequence ?? 0;
      /** @type {any[]} */
      const lines = await get(`/chats/${reference}/messages`, { after, limit: PAGE }).catch(() => []);
      this.chat.push(...lines.filter((it) => it.sequence > (this.chat[this.chat.length - 1]?.sequence ?? 0)));
      if (lines.length < PAGE) return;
    }
  }

  /** Whom a ticket is from that came by a form. @param {any} ticket */
  async readInquiry(ticket) {
    const found = ticket.inquiry ? await get(`/tickets/${ticket.id}/inquiry`).catch(() => null) : null;
    this.inquiry.hidden = found === null;
    if (found === null) return;
    const { from, member, key, attachments } = found;
    replace(this.inquiry, h("h3", null, t("around.inquiry")), key === 0 && h("p.small", null, t("around.by-form")), terms([
      [t("name"), from.name],
      [t("around.member"), member],
      [t("around.email"), from.email && h("a", { href: `mailto:${encodeURIComponent(from.email).replace("%40", "@")}` }, from.email)],
      [t("around.phone"), dialled(from.phone)],
      [t("around.files"), attachments.length > 0 && h("ul.files", null, attachments.filter((/** @type {any} */ it) => it.name).map((/** @type {any} */ it) => h("li", null,
        h("a", { href: `/api/v1/tickets/${ticket.id}/attachments/${it.attachment}`, download: it.name }, it.name),
        h("small", null, ` ${Math.max(1, Math.round(it.bytes / 1024))} KB`))))],
    ]));
  }

  /** @param {any} customer @param {number} ticket */
  card(customer, ticket) {
    return [
      h("p.customer-name", null, customerLink(customer.id, customer.name)),
      terms([
        [t("customers.numbers"), dialledAll(customer.numbers)],
        ...Object.entries(customer.fields).map(([name, value]) => /** @type {[string, string]} */ ([name, String(value)])),
        [t("customer.notes"), customer.notes && h("span.text", null, customer.notes)],
      ]),
      h("h3", null, t("around.history")),
      history(this.contacts, { but: ticket, most: SHOWN }),
      this.contacts.length > SHOWN && h("p", null, customerLink(customer.id, t("around.whole"))),
    ];
  }
}
