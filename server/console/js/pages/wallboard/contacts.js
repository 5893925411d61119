// Chats and callbacks that wait or are in hand.

import { post } from "../../api.js";
import { h } from "../../element.js";
import { attempt, confirmed } from "../../dialog.js";
import { names } from "../../session.js";
import { ticking } from "../../time.js";
import { addWords, t } from "../../words.js";
import { table } from "../supervision/table.js";
import { explainDialog } from "./explain.js";

addWords({
  "wallboard.kind": ["Kind", "種類"],
  "wallboard.chat.one": ["Chat", "チャット"],
  "wallboard.callback.one": ["Callback", "コールバック"],
  "wallboard.state": ["State", "状態"],
  "wallboard.chat.waiting": ["Waiting", "待ち"],
  "wallboard.chat.talking": ["In hand", "対応中"],
  "wallboard.callback.received": ["Waiting", "待ち"],
  "wallboard.callback.assigned": ["Assigned", "割り当て済み"],
  "wallboard.callback.dialled": ["Dialled", "発信済み"],
  "wallboard.attempts": ["Dials", "発信回数"],
  "wallboard.waiting-since": ["Since", "経過時間"],
  "wallboard.cancel-callback": ["Cancel", "取消"],
  "wallboard.cancel-callback.text": ["{} is not called back.", "{} への折り返しを取り消します。"],
});

/** @param {any[]} chats @param {any[]} callbacks @param {() => Promise<unknown>} again */
export function contactsTable(chats, callbacks, again) {
  const why = (/** @type {string} */ key, /** @type {any} */ work) =>
    h("button", { type: "button", data: { action: "why", key: `why-${key}` }, onclick: () => explainDialog(work) }, t("wallboard.why"));
  const ofChats = chats.map((chat) => ({
    data: { chat: chat.chat },
    cells: [t("wallboard.chat.one"), chat.name, names.queue(chat.queue), t(`wallboard.chat.${chat.state}`), names.operator(chat.operator), ticking({ since: chat.opened_us }), "",
      chat.state === "waiting" && why(chat.chat, { chat: chat.chat })],
  }));
  const ofCallbacks = callbacks.map((callback) => ({
    data: { callback: callback.callback },
    cells: [t("wallboard.callback.one"), [callback.name && `${callback.name} `, callback.number], names.queue(callback.queue), t(`wallboard.callback.${callback.state}`),
      names.operator(callback.operator), ticking({ since: callback.received_us }), callback.attempts,
      h("span.moves", null, callback.state === "received" && why(callback.callback, { callback: callback.callback }),
        h("button.danger", { type: "button", "aria-label": `${t("wallboard.cancel-callback")}: ${callback.number}`, data: { action: "cancel", key: `cancel-${callback.callback}` }, onclick: async () => {
          const text = t("wallboard.cancel-callback.text").replace("{}", callback.number);
          if (!await confirmed(t("wallboard.callback.one"), text, t("wallboard.cancel-callback"))) return;
          await attempt(() => post(`/callbacks/${callback.callback}/cancel`));
          await attempt(again);
        } }, t("wallboard.cancel-callback")))],
  }));
  return table(t("wallboard.contacts"),
    [t("wallboard.kind"), t("wallboard.customer"), t("phone.queue"), t("wallboard.state"), t("wallboard.operator"), { text: t("wallboard.waiting-since"), figure: true },
      { text: t("wallboard.attempts"), figure: true }, t("wallboard.actions")],
    [...ofChats, ...ofCallbacks], { key: "contacts" });
}
