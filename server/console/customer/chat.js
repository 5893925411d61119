// The customer's side of a chat: written over a WebSocket, resumed after a lost connection or a reload.

import { h, field, replace, values } from "../js/element.js";
import { refusal } from "../js/problems.js";
import { addWords, t } from "../js/words.js";
import { ask, comesAgain, kept, number, organisation, pageAddress, sendInTurn, waits } from "./customer.js";

addWords({
  "chat.title": ["Chat with us", "チャットでお問い合わせ"],
  "chat.name": ["Your name", "お名前"],
  "chat.question": ["What is it about?", "お問い合わせ内容"],
  "chat.begin": ["Begin", "開始"],
  "chat.waiting": ["Waiting for somebody; before you", "お待ちください。前の人数"],
  "chat.talking": ["You are connected", "オペレーターにつながっています"],
  "chat.ended": ["The chat is over", "チャットは終了しました"],
  "chat.answered": ["Somebody is here for you", "オペレーターが応対します"],
  "chat.transferred": ["You are being handed on", "担当者に引き継ぎます"],
  "chat.write": ["Write a message", "メッセージを入力"],
  "chat.send": ["Send", "送信"],
  "chat.end": ["End the chat", "終了する"],
  "chat.lost": ["Connection lost, trying again …", "再接続しています…"],
  "chat.score": ["How was it?", "対応はいかがでしたか"],
  "chat.comment": ["Anything else?", "ご意見"],
  "chat.thanks": ["Thank you", "ありがとうございました"],
  "chat.again": ["New chat", "新しいチャット"],
  "chat.nobody": ["Leave your number and we call you back.", "お電話番号をお知らせください。折り返しご連絡します。"],
  "chat.write-instead": ["Write to us instead", "お問い合わせフォームへ"],
  "chat.number": ["Your telephone number", "お電話番号"],
  "chat.call-back": ["Call me back", "折り返しを依頼"],
  "chat.will-call": ["We will call you.", "折り返しご連絡します。"],
});

/** Each service's chat is another: `ORGANISATION/SERVICE/QUEUE` of this page. */
const KEY = `callfloor-chat ${[organisation ?? "main", number("service"), number("queue")].join("/")}`;
const main = /** @type {HTMLElement} */ (document.getElementById("chat"));

/** The first page: who asks what. */
function begin() {
  kept.set(KEY, null);
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const form = /** @type {HTMLFormElement} */ (h("form.form", null, h("h1", null, t("chat.title")),
    field(t("chat.name"), h("input", { name: "name", required: true, maxlength: 60, autocomplete: "name" })),
    field(t("chat.question"), h("textarea", { name: "text", rows: 4, required: true, maxlength: 2000 })),
    wrong, h("button.primary", { type: "submit" }, t("chat.begin"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { name, text } = values(form);
    try {
      const order = { name, text, organisation, service: number("service"), queue: number("queue") };
      const opened = await sendInTurn(() => ask("POST", "chats", order), waits(form, wrong));
      kept.set(KEY, opened.token);
      new Chat(opened.token).open();
    } catch (problem) {
      if (/** @type {any} */ (problem).problem?.instead) return callBack(/** @type {Error} */ (problem).message);
      wrong.hidden = false;
      wrong.textContent = /** @type {Error} */ (problem).message;
    }
  });
  replace(main, form);
}

/** Nobody is there: a callback in place of the chat, and the inquiry form where there is one. @param {string} why */
function callBack(why) {
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const write = h("p", { hidden: true }, h("a", { href: pageAddress("/help", { view: "inquiry" }), data: { key: "inquiry" } }, t("chat.write-instead")));
  const service = number("service");
  const own = organisation === undefined ? "" : `?${new URLSearchParams({ organisation })}`;
  if (service !== undefined) ask("GET", `help-centres/${service}${own}`).then((centre) => { write.hidden = !centre.inquiries; }, () => {});
  const form = /** @type {HTMLFormElement} */ (h("form.form", null, h("h1", null, t("chat.title")), h("p", { role: "status" }, why), write, h("p", null, t("chat.nobody")),
    field(t("chat.number"), h("input", { name: "number", type: "tel", required: true, autocomplete: "tel", maxlength: 32 })),
    wrong, h("button.primary", { type: "submit" }, t("chat.call-back"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const order = { number: values(form).number, organisation, service: number("service"), queue: number("queue") };
      await sendInTurn(() => ask("POST", "callbacks", order), waits(form, wrong));
      replace(main, h("div.form", { role: "status" }, h("p", null, t("chat.will-call"))));
    } catch (problem) {
      wrong.hidden = false;
      wrong.textContent = /** @type {Error} */ (problem).message;
    }
  });
  replace(main, form);
}

class Chat {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
    this.last = 0;
    this.state = "waiting";
    /** Texts that are not known to be durable, by their key. @type {Map<string, {text: string, line: HTMLElement}>} */
    this.unsent = new Map();
    /** @type {WebSocket | null} */
    this.socket = null;
    this.pause = 500;
  }

  open() {
    this.status = h("p", { role: "status" });
    this.lines = h("div.lines", { role: "log", "aria-live": "polite", "aria-label": t("chat.title"), tabindex: 0 });
    const text = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 2, maxlength: 2000, "aria-label": t("chat.write"), placeholder: t("chat.write") }));
    this.writing = h("form.write", null, text, h("button.primary", { type: "submit" }, t("chat.send")));
    const send = (/** @type {Event} */ event) => {
      event.preventDefault();
      if (text.value.trim() === "") return;
      this.write(text.value.trim());
      text.value = "";
    };
    this.writing.addEventListener("submit", send);
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
    });
    this.ending = h("button.quiet", { type: "button", onclick: () => ask("POST", "chat/end", undefined, this.token).catch(() => {}) }, t("chat.end"));
    replace(main, h("div.bar", null, this.status, this.ending), this.lines, this.writing);
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/customer/chat/stream`);
    this.socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ token: this.token, after: this.last }));
      // What was not acknowledged is sent again under its key: it is written once.
      for (const [key, { text }] of this.unsent) socket.send(JSON.stringify({ text, key }));
    };
    socket.onmessage = (message) => this.hear(JSON.parse(message.data));
    socket.onclose = (closed) => {
      if (closed.code === 1000) return;
      if (closed.code === 4401 || closed.code === 4400) return begin();
      this.say(t("chat.lost"));
      setTimeout(() => this.connect(), this.pause * (0.5 + Math.random()));
      this.pause = Math.min(2 * this.pause, 10_000);
    };
  }

  /** @param {string} text */
  write(text) {
    const key = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const line = h("p.line.customer.unsent", null, text);
    this.unsent.set(key, { text, line });
    this.show(line);
    this.send(key);
  }

  /** @param {string} key of what is not known to be durable */
  send(key) {
    const text = this.unsent.get(key)?.text;
    if (text !== undefined && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ text, key }));
  }

  /** @param {any} told */
  hear(told) {
    this.pause = 500;
    if (told.event === "line") return this.line(told.line);
    if (told.event === "chat") return this.become(told.chat);
    if (told.event === "written") return this.written(told);
    if (told.problem) {
      // What came too fast stands as not sent, until it is.
      const wait = comesAgain(told.problem);
      if (wait !== undefined && this.unsent.has(told.key)) return void setTimeout(() => this.send(told.key), wait * 1_000);
      this.unsent.get(told.key)?.line.remove();
      this.unsent.delete(told.key);
      this.show(h("p.line.system", null, refusal(told.problem)));
    }
  }

  /** @param {{key: string, sequence: number}} told */
  written(told) {
    this.unsent.get(told.key)?.line.remove();
    this.unsent.delete(told.key);
  }

  /** @param {{sequence: number, from: string, text: string, line?: string}} line */
  line(line) {
    if (line.sequence <= this.last) return;
    this.last = line.sequence;
    const text = line.line ? t(`chat.${line.line}`) : line.text;
    this.show(h(`p.line.${line.from}`, null, text), true);
  }

  /** @param {HTMLElement} line @param {boolean} [told] before what is not sent yet */
  show(line, told = false) {
    const first = told ? this.lines?.querySelector(".unsent") : null;
    if (first) first.before(line);
    else this.lines?.append(line);
    this.lines?.scrollTo({ top: this.lines.scrollHeight });
  }

  /** @param {string} text */
  say(text) {
    if (this.status) this.status.textContent = text;
  }

  /** @param {{state: string, position?: number, evaluation?: unknown}} chat */
  become(chat) {
    this.state = chat.state;
    const before = Math.max(0, (chat.position ?? 1) - 1);
    this.say(chat.state === "waiting" ? `${t("chat.waiting")}: ${before}` : t(`chat.${chat.state}`));
    if (chat.state !== "ended") return;
    kept.set(KEY, null);
    this.ending?.remove();
    this.writing?.replaceWith(this.evaluation(Boolean(chat.evaluation)));
  }

  /** @param {boolean} given */
  evaluation(given) {
    const again = h("button", { type: "button", onclick: begin }, t("chat.again"));
    if (given) return h("div.form", null, again);
    const form = /** @type {HTMLFormElement} */ (h("form.form", null,
      h("fieldset.stars", null, h("legend", null, t("chat.score")),
        [1, 2, 3, 4, 5].map((score) => h("label", null, h("input", { type: "radio", name: "score", value: score, required: true }), String(score)))),
      field(t("chat.comment"), h("textarea", { name: "comment", rows: 2, maxlength: 1000 })),
      h("div.buttons", null, h("button.primary", { type: "submit" }, t("chat.send")), again)));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const { score, comment } = values(form);
      await ask("PUT", "chat/evaluation", { score: Number(score), comment: comment || null }, this.token).catch(() => {});
      form.replaceWith(h("div.form", { role: "status" }, h("p", null, t("chat.thanks")), again));
    });
    return form;
  }
}

const token = await kept.get(KEY);
if (token) new Chat(token).open();
else begin();
