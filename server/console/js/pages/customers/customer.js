// One customer: what is known of them, what they had to do with us, and what the law gives them: export and erasure.

import { exchange, get, post } from "../../api.js";
import { field, h, replace, values } from "../../element.js";
import { dialog, show, tell } from "../../dialog.js";
import { names, who } from "../../session.js";
import { moment } from "../../time.js";
import { addWords, t } from "../../words.js";
import { terms } from "../calls/record.js";
import { newTicket } from "../tickets/new.js";
import { dialledAll } from "../shared/dial.js";
import { Draft } from "../shared/draft.js";
import { follow } from "../shared/live.js";
import { say } from "../shared/say.js";
import { plain, Versioned } from "../shared/versioned.js";
import { history } from "./history.js";
import { ordered, Rows } from "./rows.js";

addWords({
  "customer.linked": ["From your own system", "自社システムの情報"],
  "customer.linked.unknown": ["It does not know this customer", "自社システムに登録がありません"],
  "customer.linked.failed": ["It said nothing", "情報を取得できません"],
  "customer.numbers.hint": ["One a line", "1行に1件"],
  "customer.notes": ["Notes", "メモ"],
  "customer.fields": ["Further details", "その他の項目"],
  "customer.known": ["What is known", "顧客情報"],
  "customer.history": ["History", "対応履歴"],
  "customer.new-ticket": ["New ticket", "チケットを作成"],
  "customer.export": ["Export", "データ出力"],
  "customer.erase": ["Erase", "消去"],
  "customer.erase.title": ["Erase this person", "この顧客を消去"],
  "customer.erase.text": [
    "Name, numbers, details and notes, their number in call records and the texts of their tickets go for good. Figures stay. It cannot be undone.",
    "名前・番号・項目・メモ、通話履歴の番号、チケットの本文を完全に消去します。統計の数値は残ります。元に戻せません。",
  ],
  "customer.erase.type": ["Type “{word}” to go on", "続けるには「{word}」と入力してください"],
  "customer.erase.differs": ["What was typed is not “{word}”", "「{word}」と一致しません"],
  "customer.erased": ["This person was erased. The record's number stays.", "この顧客は消去されました。番号だけが残っています。"],
  "customer.erased.done": ["Erased, with {records} call records and {tickets} tickets", "消去しました(通話履歴 {records} 件、チケット {tickets} 件)"],
  "customer.saved-by": ["Last served {when} by {operator}", "最終対応: {when} {operator}"],
});

/** @param {string} text */
function lines(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** What the form shows of a record. @param {any} customer */
function shape(customer) {
  return {
    name: customer.name,
    numbers: customer.numbers.join("\n"),
    notes: customer.notes,
    fields: JSON.stringify(ordered(Object.entries(customer.fields))),
  };
}

/** Makes a record; then its page is open. */
export function newCustomer() {
  dialog({
    title: t("customers.new"),
    key: "new-customer",
    content: [
      field(t("name"), h("input", { name: "name", maxlength: 200, autocomplete: "off", autofocus: true })),
      field(t("customers.numbers"), h("textarea", { name: "numbers", rows: 2 }), t("customer.numbers.hint")),
    ],
    submit: async (form) => {
      const { name, numbers } = values(form);
      const made = await post("/customers", { name: name.trim(), numbers: lines(numbers) });
      location.hash = `#/customers/${made.id}`;
    },
  });
}

export class CustomerPage {
  /** @param {HTMLElement} into @param {number} id */
  constructor(into, id) {
    this.id = id;
    this.path = `/customers/${id}`;
    /** @type {Versioned | null} */
    this.form = null;
    this.root = h("div.room", { data: { customerPage: id } });
    this.contacts = h("div");
    /** What the organisation's own system says of them. */
    this.linked = h("div", { hidden: true, data: { key: "linked" } });
    replace(into, this.root);
    show(this.root, () => this.load());
    this.unfollow = follow((it) => it.event === "call-ended" || Boolean(it.event?.startsWith("ticket-")), () => this.reread(), 15_000);
  }

  close() {
    this.unfollow();
  }

  /** @returns {Promise<import("../../element.js").Child[]>} */
  async load() {
    const { value, etag } = await exchange("GET", this.path);
    show(this.contacts, async () => history(await get(`${this.path}/timeline`)));
    if (!value.erased) this.askLinked();
    return [
      h("p", null, h("a", { href: "#/customers" }, `← ${t("shared.back")}`)),
      h("div.title", null, h("h1", null, value.name || `${t("shared.customer")} ${this.id}`), this.buttons(value)),
      value.last_served_us !== null && h("p.small", null,
        say("customer.saved-by", { when: moment(value.last_served_us), operator: names.operator(value.last_operator) })),
      h("div.beside", null,
        h("section.card", { "aria-label": t("customer.history") }, h("h2", null, t("customer.history")), this.contacts),
        h("section.card", { "aria-label": t("customer.known") }, h("h2", null, t("customer.known")),
          value.erased ? h("p.warning", null, t("customer.erased")) : [...this.known(value, etag), this.linked])),
    ];
  }

  /** Asks the organisation's own system; whatever becomes of it, the page is there. */
  async askLinked() {
    const found = await get(`${this.path}/linked`).catch(() => null);
    this.linked.hidden = found === null || found.state === "not-linked";
    if (this.linked.hidden) return;
    replace(this.linked, h("h3", null, t("customer.linked")),
      found.state === "known" && terms(found.fields.map((/** @type {any} */ it) => [it.label, h("span.text", null, it.value)])),
      found.state === "unknown" && h("p.empty", null, t("customer.linked.unknown")),
      found.state === "failed" && h("p.warning", null, `${t("customer.linked.failed")}: ${found.problem}`));
  }

  /** @param {any} customer */
  buttons(customer) {
    if (customer.erased) return null;
    const supervisor = who().role === "supervisor";
    return h("div.buttons", null,
      h("button", { type: "button", data: { key: "new-ticket" }, onclick: () => newTicket({ customer }) }, t("customer.new-ticket")),
      supervisor && h("a.button", { href: `/api/v1${this.path}/export`, download: `customer-${this.id}.json`, data: { key: "export" } }, t("customer.export")),
      supervisor && h("button.danger", { type: "button", data: { key: "erase" }, onclick: () => this.erase(customer) }, t("customer.erase")));
  }

  /** @param {any} customer @param {string | null} etag */
  known(customer, etag) {
    const rows = new Rows();
    const form = new Versioned({
      label: t("customer.known"),
      fields: [
        plain("name", t("name"), h("input", { maxlength: 200, autocomplete: "off" })),
        plain("numbers", t("customers.numbers"), h("textarea", { rows: 2 }), { hint: t("customer.numbers.hint"), words: (value) => lines(value).join(", ") }),
        rows.field(t("customer.fields")),
        plain("notes", t("customer.notes"), h("textarea", { rows: 6, maxlength: 20_000 })),
      ],
      shape, value: customer, etag,
      draft: new Draft(`customer-${this.id}`),
      save: async (changed) => {
        const all = { ...form.base, ...changed };
        const body = { name: all.name, numbers: lines(all.numbers), notes: all.notes, fields: Object.fromEntries(JSON.parse(all.fields)) };
        const saved = await exchange("PUT", this.path, { body, etag: form.etag });
        form.saved(saved.value, saved.etag);
      },
      reread: () => this.reread(),
    });
    this.form = form;
    return [customer.numbers.length > 0 && h("p", { data: { key: "numbers" } }, dialledAll(customer.numbers)), form.element];
  }

  async reread() {
    const { value, etag } = await exchange("GET", this.path);
    if (value.erased) return show(this.root, () => this.load());
    this.form?.take(value, etag);
    replace(this.contacts, history(await get(`${this.path}/timeline`)));
  }

  /** @param {any} customer */
  erase(customer) {
    const word = customer.name || String(this.id);
    dialog({
      title: t("customer.erase.title"),
      key: "erase",
      content: [
        h("p", null, t("customer.erase.text")),
        field(say("customer.erase.type", { word }), h("input", { name: "typed", autocomplete: "off", required: true, autofocus: true })),
      ],
      actions: [{ text: t("customer.erase"), name: "erase", kind: "danger" }],
      submit: async (form) => {
        if (values(form).typed.trim() !== word.trim()) throw new Error(say("customer.erase.differs", { word }));
        const erased = await post(`${this.path}/erase`);
        new Draft(`customer-${this.id}`).keep({ values: undefined, base: undefined, etag: undefined });
        tell(say("customer.erased.done", erased));
        await show(this.root, () => this.load());
      },
    });
  }
}
