// Chats: an operator's own, several at once, each in its tab; a supervisor sees everybody's.

import { get } from "../api.js";
import { h, replace } from "../element.js";
import { show } from "../dialog.js";
import { stream, who } from "../session.js";
import { addWords, t } from "../words.js";
import { Conversation } from "./chats/conversation.js";
import { pastChats } from "./chats/past.js";
import { follow } from "./shared/live.js";
import { say } from "./shared/say.js";

addWords({
  "chats.live": ["Live chats", "進行中のチャット"],
  "chats.mine": ["Chats in hand", "対応中のチャット"],
  "chats.past": ["Past chats", "過去のチャット"],
  "chats.none": ["No chat is in hand. One that is offered is accepted in the phone widget.", "対応中のチャットはありません。割り当てられたチャットは電話ウィジェットで応答します。"],
  "chats.none-live": ["No chat is live", "進行中のチャットはありません"],
  "chats.unread": ["{count} unread", "未読 {count} 件"],
  "chats.close": ["Close", "閉じる"],
});

class Chats {
  /** @param {HTMLElement} into @param {string | undefined} chosen */
  constructor(into, chosen) {
    this.chosen = chosen;
    this.over = false;
    /** By reference, in the order in which they came into hand. @type {Map<string, Conversation>} */
    this.conversations = new Map();
    this.tabs = h("div.chat-tabs", { role: "tablist", "aria-orientation": "vertical", "aria-label": t(this.supervises ? "chats.live" : "chats.mine"),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event) });
    this.panel = h("div.chat-panel");
    const body = h("div.room");
    replace(into, h("div.title", null, h("h1", null, t("page.chats")), h("a", { href: "#/chats/past" }, t("chats.past"))), body);
    show(body, async () => {
      await this.refresh();
      return h("div.chats", null, this.tabs, this.panel);
    }).then(() => this.current?.toEnd());
    this.unfollow = follow((it) => Boolean(it.event?.startsWith("chat-")) && it.event !== "chat-line" && it.event !== "chat-status-changed", () => this.refresh());
    this.unlisten = stream.listen((it) => this.hear(it));
    this.looked = () => this.showTabs();
    document.addEventListener("visibilitychange", this.looked);
    // What could not be sent goes out when the connection is back.
    this.resend = () => {
      for (const it of this.conversations.values()) it.retry();
    };
    stream.addEventListener("live", this.resend);
  }

  close() {
    this.over = true;
    this.unfollow();
    this.unlisten();
    document.removeEventListener("visibilitychange", this.looked);
    stream.removeEventListener("live", this.resend);
  }

  get supervises() {
    return who().role === "supervisor";
  }

  get current() {
    return this.chosen === undefined ? undefined : this.conversations.get(this.chosen);
  }

  /** @param {import("../stream.js").Happened} happened */
  hear(happened) {
    if (happened.event === "chat-line") this.conversations.get(happened.chat)?.read().catch(() => {});
  }

  /** Which chats there are; one that was open here stays until it is closed. */
  async refresh() {
    const { operator } = who();
    const found = await get("/chats", this.supervises ? { live: true } : { operator, live: true });
    /** @type {any[]} */
    const live = found.filter((/** @type {any} */ it) => this.supervises || it.state === "talking").reverse();
    const known = new Set(live.map((it) => it.chat));
    const others = [...this.conversations.keys()].filter((it) => !known.has(it));
    if (this.chosen !== undefined && !known.has(this.chosen) && !this.conversations.has(this.chosen)) others.push(this.chosen);
    for (const chat of await Promise.all(others.map((it) => get(`/chats/${it}`)))) live.push(chat);
    if (this.over) return;
    for (const chat of live) {
      const open = this.conversations.get(chat.chat);
      if (open) open.take(chat);
      else this.conversations.set(chat.chat, new Conversation(chat, () => this.showTabs()));
    }
    await Promise.all([...this.conversations.values()].map((it) => it.read()));
    if (this.over) return;
    if (this.current === undefined) this.choose(this.conversations.keys().next().value);
    else this.showTabs();
  }

  /** @param {string | undefined} chat */
  choose(chat) {
    this.chosen = chat;
    if (chat !== undefined) history.replaceState(null, "", `#/chats/${chat}`);
    this.showTabs();
    const { current } = this;
    if (!current) return;
    current.toEnd();
    if (current.mine) current.text.focus({ preventScroll: true });
  }

  /** Closes the tab of a chat that is over, or with somebody else. @param {string} chat */
  closeTab(chat) {
    this.conversations.delete(chat);
    if (this.chosen === chat) this.choose(this.conversations.keys().next().value);
    else this.showTabs();
  }

  showTabs() {
    const { current } = this;
    if (current && document.visibilityState === "visible") current.look();
    this.tabs.hidden = this.conversations.size === 0;
    replace(this.tabs, [...this.conversations].map(([chat, of]) => this.tab(chat, of)));
    const shown = this.panel.firstElementChild;
    if (!current) replace(this.panel, h("p.empty", null, t(this.supervises ? "chats.none-live" : "chats.none")));
    else if (shown?.firstElementChild !== current.element) {
      replace(this.panel, h("div", { role: "tabpanel", id: "chat-panel", "aria-labelledby": `chat-tab-${current.chat.chat}` }, current.element));
    }
    const ended = current && current.chat.state === "ended";
    this.panel.classList.toggle("ended", Boolean(ended));
  }

  /** @param {string} chat @param {Conversation} of */
  tab(chat, of) {
    const selected = chat === this.chosen;
    const { unread } = of;
    const last = of.lines.findLast((it) => it.text);
    return h("div.chat-tab", { role: "presentation", data: { chat } },
      h("button", {
        type: "button", role: "tab", id: `chat-tab-${chat}`, "aria-selected": String(selected), "aria-controls": selected ? "chat-panel" : null,
        tabindex: selected ? 0 : -1, data: { key: `tab-${chat}`, state: of.chat.state }, onclick: () => this.choose(chat),
      },
      h("span.name", null, of.chat.name),
      unread > 0 && h("span.unread", { "aria-label": say("chats.unread", { count: unread }), data: { unread } }, unread),
      h("small", null, of.chat.state === "talking" ? last?.text ?? "" : t(`chat.state.${of.chat.state}`))),
      (of.chat.state === "ended" || !(this.supervises || of.mine)) && h("button.quiet", { type: "button", "aria-label": `${t("chats.close")}: ${of.chat.name}`, data: { key: `close-${chat}` }, onclick: () => this.closeTab(chat) }, "×"));
  }

  /** Arrows go from tab to tab. @param {KeyboardEvent} event */
  key(event) {
    const all = [...this.conversations.keys()];
    const at = all.indexOf(this.chosen ?? "");
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || all.length === 0) return;
    event.preventDefault();
    this.choose(all[(to + all.length) % all.length]);
    document.getElementById(`chat-tab-${this.chosen}`)?.focus();
  }
}

/** @type {import("../main.js").Page} */
export const chatsPage = {
  key: "chats",
  roles: ["operator", "supervisor"],
  open(into, rest) {
    if (rest[0] === "past") {
      replace(into, h("div.title", null, h("h1", null, t("chats.past")), h("a", { href: "#/chats" }, t(who().role === "supervisor" ? "chats.live" : "chats.mine"))), pastChats());
      return;
    }
    const chats = new Chats(into, rest[0]);
    return () => chats.close();
  },
};
