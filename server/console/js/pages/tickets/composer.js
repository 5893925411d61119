// Writing in a ticket: a reply, a note, or what the customer said; kept while it is not sent.

import { get, Refused } from "../../api.js";
import { field, h, replace, select } from "../../element.js";
import { attempt, tell, wordsOf } from "../../dialog.js";
import { who } from "../../session.js";
import { addWords, t } from "../../words.js";
import { newKey, postOnce } from "../shared/once.js";
import { origin } from "../shared/say.js";

addWords({
  "compose.title": ["Write", "入力"],
  "compose.reply": ["Reply", "返信"],
  "compose.note": ["Note", "社内メモ"],
  "compose.customer": ["Customer's reply", "顧客からの連絡"],
  "compose.reply.text": ["Reply to the customer", "顧客への返信"],
  "compose.note.text": ["Note for operators", "社内メモ(顧客には見えません)"],
  "compose.customer.text": ["What the customer wrote or said", "顧客の連絡内容"],
  "compose.template": ["Template", "テンプレート"],
  "compose.template.choose": ["Insert a template …", "テンプレートを挿入…"],
  "compose.then": ["Then", "送信後"],
  "compose.then.stay": ["Leave the status", "ステータスはそのまま"],
  "compose.send": ["Send reply", "返信を送信"],
  "compose.write": ["Write note", "メモを保存"],
  "compose.enter": ["Enter", "登録"],
  "compose.sent": ["Written", "登録しました"],
  "compose.meanwhile": ["Somebody else changed this ticket while you wrote. Read what is new; your text is kept: send it again if it still fits.",
    "入力中に他の人がこのチケットを変更しました。新しい内容を確認し、問題なければもう一度送信してください。入力内容は残っています。"],
  "compose.no-operator": ["Only an operator can reply: this account is none.", "このアカウントはオペレーターではないため返信できません。"],
  "compose.closed": ["Closed for good: a note can be added; what a customer writes makes a new ticket.", "完了済みです。メモは追加できます。顧客からの連絡は新しいチケットになります。"],
});

const PATHS = /** @type {Record<string, string>} */ ({ reply: "replies", note: "notes", customer: "customer-replies" });
const SENDS = /** @type {Record<string, string>} */ ({ reply: "compose.send", note: "compose.write", customer: "compose.enter" });

export class Composer {
  /**
   * @param {{ticket: any, templates: any[], draft: import("../shared/draft.js").Draft<any>, etag: () => string | null,
   *          written: (answer: any, etag: string | null, kind: string) => void, reread: () => Promise<unknown>,
   *          move: (status: string) => Promise<unknown>}} of
   */
  constructor(of) {
    this.of = of;
    this.ticket = of.ticket;
    const kept = of.draft.read();
    /** @type {"reply" | "note" | "customer"} */
    this.kind = kept.kind ?? (this.canReply && ["written", "voicemail"].includes(origin(of.ticket.origin).channel) ? "reply" : "note");
    /** The key of the text that is being sent. */
    this.key = kept.key ?? newKey();
    this.sending = false;
    this.text = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 5, maxlength: 20_000, value: kept.text ?? "", data: { key: "text" },
      oninput: () => this.typed(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          this.send();
        }
      } }));
    this.label = h("label", { for: "compose-text" });
    this.text.id = "compose-text";
    this.kinds = h("div.tabs", { role: "group", "aria-label": t("compose.title") });
    this.templates = h("div.inline");
    this.notice = h("p.warning", { role: "alert", hidden: true, data: { key: "meanwhile" } });
    this.wrong = h("p.wrong", { role: "alert", hidden: true });
    this.hint = h("p.small");
    this.foot = h("div.inline.foot-row");
    this.element = h("section.card.composer", { "aria-label": t("compose.title") },
      this.kinds, this.hint, this.label, this.text, this.templates, this.notice, this.wrong, this.foot);
    this.render();
  }

  typed() {
    // Another text is another order.
    this.key = newKey();
    this.keep();
    this.enable();
  }

  keep() {
    const text = this.text.value;
    this.of.draft.keep(text ? { text, kind: this.kind, key: this.key } : { text: undefined, kind: undefined, key: undefined });
  }

  enable() {
    const button = /** @type {HTMLButtonElement | null} */ (this.foot.querySelector("button"));
    this.text.readOnly = this.sending;
    if (button) button.disabled = this.sending || this.text.value.trim() === "" || (this.kind === "reply" && !this.canReply);
  }

  get canReply() {
    return who().operator !== null && this.ticket.status !== "closed";
  }

  /** @param {any} ticket the newest */
  take(ticket) {
    const other = ticket.status !== this.ticket.status;
    this.ticket = ticket;
    if (other) this.render();
  }

  render() {
    const kind = (/** @type {"reply" | "note" | "customer"} */ it) => h("button.tab", {
      type: "button", "aria-pressed": String(this.kind === it), data: { key: `compose-${it}` },
      onclick: () => {
        this.kind = it;
        this.typed();
        this.render();
        this.text.focus();
      },
    }, t(`compose.${it}`));
    replace(this.kinds, kind("reply"), kind("note"), kind("customer"));
    this.element.dataset.kind = this.kind;
    this.label.textContent = t(`compose.${this.kind}.text`);
    const closed = this.ticket.status === "closed";
    this.hint.textContent = closed ? t("compose.closed") : this.kind === "reply" && who().operator === null ? t("compose.no-operator") : "";
    this.hint.hidden = this.hint.textContent === "";
    const fitting = this.of.templates.filter((it) => it.service === null || it.service === this.ticket.service);
    replace(this.templates, this.kind !== "customer" && fitting.length > 0 && field(t("compose.template"), select({
      data: { key: "template" },
      onchange: (/** @type {Event} */ event) => this.insert(/** @type {HTMLSelectElement} */ (event.target)),
    }, [["", t("compose.template.choose")], ...fitting.map((it) => /** @type {[number, string]} */ ([it.id, it.name]))])));
    const statuses = this.ticket.status === "solved" || closed ? [] : ["pending", "solved"].filter((it) => it !== this.ticket.status);
    replace(this.foot,
      h("button.primary", { type: "button", data: { key: "send" }, title: "Ctrl+Enter", "aria-keyshortcuts": "Control+Enter", onclick: () => this.send() }, t(SENDS[this.kind])),
      this.kind === "reply" && statuses.length > 0 && h("label", null, `${t("compose.then")} `, select({ data: { key: "then" } },
        [["", t("compose.then.stay")], ...statuses.map((it) => /** @type {[string, string]} */ ([it, t(`ticket-status.${it}`)]))])));
    this.enable();
  }

  /** A template's text, filled in for this ticket, where the cursor is. @param {HTMLSelectElement} menu */
  async insert(menu) {
    const id = menu.value;
    menu.value = "";
    if (!id) return;
    const filled = /** @type {{text: string} | undefined} */ (await attempt(() => get(`/ticket-templates/${id}/text`, { ticket: this.ticket.id })));
    if (!filled) return;
    this.text.setRangeText(filled.text, this.text.selectionStart, this.text.selectionEnd, "end");
    this.typed();
    this.text.focus();
  }

  async send() {
    if (this.sending || this.text.value.trim() === "" || (this.kind === "reply" && !this.canReply)) return;
    this.sending = true;
    this.enable();
    [this.notice.hidden, this.wrong.hidden] = [true, true];
    const { kind } = this;
    const then = /** @type {HTMLSelectElement | null} */ (this.foot.querySelector("select"))?.value ?? "";
    try {
      // Two replies that cross are one too many: a reply is made on what was seen.
      const seen = kind === "reply" ? this.of.etag() : null;
      const { value, etag } = await postOnce(`/tickets/${this.ticket.id}/${PATHS[kind]}`, { text: this.text.value }, this.key, seen);
      this.text.value = "";
      if (kind === "customer" && this.canReply) this.kind = "reply";
      this.typed();
      tell(t("compose.sent"));
      this.of.written(value, etag, kind);
      if (then) await attempt(() => this.of.move(then));
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 412) {
        await this.of.reread().catch(() => {});
        this.key = newKey();
        this.keep();
        this.notice.textContent = t("compose.meanwhile");
        this.notice.hidden = false;
      } else {
        this.wrong.textContent = wordsOf(problem);
        this.wrong.hidden = false;
      }
    }
    this.sending = false;
    if (this.kind !== kind) this.render();
    this.enable();
  }
}
