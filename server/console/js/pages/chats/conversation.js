// One chat: its lines, what is being written, and what is not yet with the server.

import { get, post, Refused } from "../../api.js";
import { field, h, replace, values } from "../../element.js";
import { attempt, confirmed, dialog, wordsOf } from "../../dialog.js";
import { names, who } from "../../session.js";
import { moment, ticking } from "../../time.js";
import { addWords, t } from "../../words.js";
import { Draft } from "../shared/draft.js";
import { newKey, postOnce } from "../shared/once.js";
import { numberOf, queueOptions, say, ticketLink } from "../shared/say.js";

addWords({
  "chat.state.waiting": ["Waiting", "待ち"],
  "chat.state.talking": ["Talking", "対応中"],
  "chat.state.ended": ["Ended", "終了"],
  "chat.ending.abandoned": ["Customer left before an answer", "応答前に顧客が離脱"],
  "chat.ending.maximum-wait": ["Maximum wait passed", "最大待ち時間超過"],
  "chat.ending.customer-left": ["Customer left", "顧客が退出"],
  "chat.ending.operator-ended": ["Ended by the operator", "オペレーターが終了"],
  "chat.happened.answered": ["{operator} took the chat", "{operator} がチャットを開始しました"],
  "chat.happened.transferred": ["Handed on: the chat waits again", "引き継ぎ: 待ちに戻りました"],
  "chat.happened.ended": ["The chat is over", "チャットは終了しました"],
  "chat.lines": ["Messages with {name}", "{name} とのメッセージ"],
  "chat.write": ["Message to {name}", "{name} へのメッセージ"],
  "chat.write.hint": ["Enter sends, Shift+Enter makes a new line", "Enterで送信、Shift+Enterで改行"],
  "chat.send": ["Send", "送信"],
  "chat.sending": ["Sending …", "送信中…"],
  "chat.again": ["Send again", "再送信"],
  "chat.take-back": ["Take back", "取り消す"],
  "chat.not-sent": ["Not sent: {why}", "未送信: {why}"],
  "chat.transfer": ["Hand on", "引き継ぐ"],
  "chat.transfer.text": ["The chat waits at the head of the queue, with its ticket and everything written.", "チケットと会話内容ごと、キューの先頭で待ちになります。"],
  "chat.to": ["To", "引き継ぎ先"],
  "chat.to.nobody": ["Nobody else is there for chats now.", "他に対応できるオペレーターはいません。"],
  "chat.to.operators": ["Operators who are there", "対応できるオペレーター"],
  "chat.to.queues": ["Queues", "キュー"],
  "chat.to.hint": ["To an operator it rings them alone; where they let it go by, it waits in its queue.", "オペレーターを選ぶとその人だけに割り当てます。応答がない場合は元のキューで待ちになります。"],
  "chat.end": ["End chat", "チャットを終了"],
  "chat.end.text": ["The chat with {name} ends. The customer may then say what they thought of it.", "{name} とのチャットを終了します。終了後、顧客は評価を送れます。"],
  "chat.customer": ["Customer", "顧客"],
  "chat.evaluation": ["Evaluation", "評価"],
  "chat.evaluation.score": ["{score} of 5", "5点中 {score}"],
  "chat.since": ["Since", "開始から"],
});

/** Lines that are read at once. */
const PAGE = 200;

/** @typedef {{key: string, text: string, failed?: string}} Pending */

export class Conversation {
  /** @param {any} chat as `GET /chats/{chat}` has it @param {() => void} changed */
  constructor(chat, changed) {
    this.chat = chat;
    this.changed = changed;
    this.path = `/chats/${chat.chat}`;
    /** @type {any[]} */
    this.lines = [];
    this.draft = new Draft(`chat-${chat.chat}`);
    const kept = this.draft.read();
    /** Texts that the server is not known to have, in order. @type {Pending[]} */
    this.pending = (kept.pending ?? []).map((/** @type {Pending} */ { key, text }) => ({ key, text }));
    /** The last line that was looked at. @type {number} */
    this.seen = kept.seen ?? 0;
    [this.reading, this.again, this.sending] = [false, false, false];
    this.log = h("div.lines", { role: "log", tabindex: 0, "aria-label": say("chat.lines", { name: chat.name }) });
    this.unsent = h("ul.unsent");
    this.head = h("div.title");
    this.text = /** @type {HTMLTextAreaElement} */ (h("textarea", {
      rows: 2, maxlength: 4_000, value: kept.text ?? "", "aria-label": say("chat.write", { name: chat.name }), placeholder: t("chat.write.hint"), data: { key: "message" },
      oninput: () => this.keep(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        // Enter that ends the conversion to kanji sends nothing.
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        this.send();
      },
    }));
    this.writing = h("form.write", { onsubmit: (/** @type {Event} */ event) => {
      event.preventDefault();
      this.send();
    } }, this.text, h("button.primary", { type: "submit", data: { key: "send" } }, t("chat.send")));
    this.element = h("section.conversation", { "aria-label": chat.name, data: { conversation: chat.chat } }, this.head, this.log, this.unsent, this.writing);
    this.render();
    this.pump();
  }

  /** Whether it is the signed-in operator's to write in. */
  get mine() {
    const { role, operator } = who();
    return role === "operator" && this.chat.state === "talking" && this.chat.operator === operator;
  }

  /** What the customer wrote since it was looked at. */
  get unread() {
    return this.lines.filter((it) => it.from === "customer" && it.sequence > this.seen).length;
  }

  get last() {
    return this.lines[this.lines.length - 1]?.sequence ?? 0;
  }

  keep() {
    this.draft.keep({ text: this.text.value, pending: this.pending.length > 0 ? this.pending : undefined, seen: this.seen || undefined });
  }

  /** It is being looked at. */
  look() {
    if (this.seen === this.last) return;
    this.seen = this.last;
    this.keep();
  }

  /** @param {any} chat the newest */
  take(chat) {
    this.chat = chat;
    this.render();
  }

  /** Reads the lines after the last one; whatever comes meanwhile is read once more. */
  async read() {
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    try {
      do {
        this.again = false;
        /** @type {any[]} */
        const lines = await get(`${this.path}/messages`, { after: this.last, limit: PAGE });
        this.add(lines);
        if (lines.length === PAGE) this.again = true;
      } while (this.again);
    } finally {
      this.reading = false;
    }
  }

  /** @param {any[]} lines */
  add(lines) {
    const atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 60;
    for (const line of lines) {
      // A line may be told twice: by the answer to its writing, and by the stream.
      if (line.sequence !== this.last + 1) continue;
      this.lines.push(line);
      this.log.append(this.line(line));
    }
    if (atEnd) this.toEnd();
    this.changed();
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** @param {any} line */
  line(line) {
    const operator = names.operator(line.operator);
    if (line.line) return h("div.happened", { data: { sequence: line.sequence } }, h("time", null, moment(line.at_us)), h("span", null, say(`chat.happened.${line.line}`, { operator })));
    return h(`div.line.by-${line.from}`, { data: { sequence: line.sequence, from: line.from } },
      h("div.by", null, line.from === "customer" ? this.chat.name : operator, " ", h("time", null, moment(line.at_us))),
      h("div.text", null, line.text));
  }

  render() {
    const { chat } = this;
    const ended = chat.state === "ended";
    replace(this.head,
      h("div", null, h("h2", null, chat.name),
        h("p.small", null, h("span.tag", { data: { chatState: chat.state } }, t(ended && chat.ending ? `chat.ending.${chat.ending}` : `chat.state.${chat.state}`)),
          ` ${names.queue(chat.queue)} `, chat.operator !== null && chat.operator !== who().operator ? `· ${names.operator(chat.operator)} ` : "",
          "· ", ended ? moment(chat.opened_us) : [`${t("chat.since")} `, ticking({ since: chat.opened_us })],
          chat.ticket ? [" · ", ticketLink(numberOf(chat.ticket), `${t("shared.ticket")} #${numberOf(chat.ticket)}`)] : null),
        chat.evaluation && h("p", { data: { key: "evaluation" } }, `${t("chat.evaluation")}: `,
          h("strong", null, "★".repeat(chat.evaluation.score), h("span.faint", null, "★".repeat(5 - chat.evaluation.score))),
          ` ${say("chat.evaluation.score", { score: chat.evaluation.score })}`, chat.evaluation.comment ? ` “${chat.evaluation.comment}”` : "")),
      this.mine && h("div.buttons", null,
        h("button", { type: "button", data: { key: "transfer" }, onclick: () => this.askTransfer() }, `${t("chat.transfer")} …`),
        h("button.danger", { type: "button", data: { key: "end" }, onclick: () => this.end() }, t("chat.end"))));
    this.writing.hidden = !this.mine;
    this.showUnsent();
  }

  showUnsent() {
    this.unsent.hidden = this.pending.length === 0;
    replace(this.unsent, this.pending.map((it) => h("li.line.by-operator", { data: { unsent: it.key } },
      h("div.text", null, it.text),
      it.failed === undefined ? h("small", null, t("chat.sending")) : h("div.buttons", null,
        h("small", { role: "alert" }, say("chat.not-sent", { why: it.failed })),
        h("button", { type: "button", data: { key: `again-${it.key}` }, onclick: () => this.retry() }, t("chat.again")),
        h("button.quiet", { type: "button", data: { key: `back-${it.key}` }, onclick: () => this.takeBack(it) }, t("chat.take-back"))))));
  }

  send() {
    const text = this.text.value.trim();
    if (text === "") return;
    this.pending.push({ key: newKey(), text });
    this.text.value = "";
    this.keep();
    this.pump();
  }

  retry() {
    for (const it of this.pending) delete it.failed;
    this.pump();
  }

  /** Back into the field, to be written anew. @param {Pending} of */
  takeBack(of) {
    this.pending = this.pending.filter((it) => it !== of);
    this.text.value = [of.text, this.text.value].filter(Boolean).join("\n");
    this.keep();
    this.showUnsent();
    this.text.focus();
    this.pump();
  }

  /** Sends what waits, one after the other, each under its own key however often it is sent. */
  async pump() {
    this.showUnsent();
    if (this.sending || !this.pending[0] || this.pending[0].failed !== undefined) return;
    this.sending = true;
    const first = this.pending[0];
    try {
      const { value } = await postOnce(`${this.path}/messages`, { text: first.text }, first.key);
      this.pending = this.pending.filter((it) => it !== first);
      if (value.sequence === this.last + 1) this.add([value]);
      else await this.read().catch(() => {});
      this.toEnd();
    } catch (problem) {
      first.failed = wordsOf(problem);
      // What is refused is refused for those behind it too, such as when the chat is over.
      if (problem instanceof Refused && problem.rule === "chat-ended") for (const it of this.pending) it.failed = first.failed;
    }
    this.sending = false;
    this.keep();
    this.pump();
  }

  /** To a queue, or to an operator who is there for chats. */
  async askTransfer() {
    const colleagues = /** @type {any} */ (await attempt(() => get("/operators", { service: this.chat.service, limit: 200 })));
    if (!colleagues) return;
    const there = colleagues.filter((/** @type {any} */ it) => it.operator !== who().operator && it.chat_status === "available" && !["logged-out", "break"].includes(it.status));
    const group = (/** @type {string} */ key, /** @type {[string, string][]} */ options) =>
      options.length > 0 && h("optgroup", { label: t(`chat.to.${key}`) }, options.map(([value, text]) => h("option", { value }, text)));
    dialog({
      title: t("chat.transfer"),
      key: "chat-transfer",
      content: [
        h("p", null, t("chat.transfer.text")),
        field(t("chat.to"), h("select", { name: "to" },
          group("operators", there.map((/** @type {any} */ it) => [`operator ${it.operator}`, it.name])),
          group("queues", queueOptions("chat").map(([queue, name]) => [`queue ${queue}`, name]))), t("chat.to.hint")),
        there.length === 0 && h("p.small", null, t("chat.to.nobody")),
      ],
      actions: [{ text: t("chat.transfer"), name: "transfer", kind: "primary" }],
      submit: async (form) => {
        const [kind, to] = values(form).to.split(" ");
        this.take(await post(`${this.path}/transfer`, { [kind]: Number(to) }));
      },
    });
  }

  async end() {
    if (!await confirmed(t("chat.end"), say("chat.end.text", { name: this.chat.name }), t("chat.end"))) return;
    const ended = await attempt(() => post(`${this.path}/end`));
    if (ended) this.take(ended);
  }
}
