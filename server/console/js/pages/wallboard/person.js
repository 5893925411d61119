// One operator, as a supervisor sees and steers them.

import { exchange, get, remove } from "../../api.js";
import { h, field, select } from "../../element.js";
import { attempt, dialog } from "../../dialog.js";
import { names } from "../../session.js";
import { ticking } from "../../time.js";
import { addWords, inLanguage, t } from "../../words.js";
import { partyWords } from "../../phone/phone.js";
import { statusOptions } from "../administration/choices.js";
import { follow } from "../shared/live.js";
import { Place } from "../shared/place.js";
import { explainDialog } from "./explain.js";
import { workWords } from "./line.js";

addWords({
  "person.status": ["Set the status", "ステータスを設定"],
  "person.next": ["Status after the call", "通話後のステータス"],
  "person.as-set": ["As set", "設定どおり"],
  "person.set": ["Set", "設定"],
  "person.busy": ["While they are busy, the status after the call can be chosen.", "対応中は通話後のステータスを選べます。"],
  "person.login": ["Log in", "ログインさせる"],
  "person.logout": ["Log out", "ログアウトさせる"],
  "person.chat-available": ["Make available for chats", "チャットを対応可にする"],
  "person.chat-away": ["Make away from chats", "チャットを離席にする"],
  "person.offers": ["Offered now", "呼び出し中"],
  "person.withdraw": ["Withdraw", "取り消す"],
  "person.in-hand": ["In hand", "対応中"],
  "person.chats": ["Chats: {}", "チャット: {}件"],
  "person.tickets": ["Tickets: {}", "チケット: {}件"],
  "person.calls": ["Calls since login: {}", "ログイン後の通話: {}件"],
  "person.device-lost": ["The telephone is not registered.", "電話機が登録されていません。"],
});

/** @param {number} operator @param {any[]} reasons */
export function personDialog(operator, reasons) {
  const path = `/operators/${operator}`;
  const place = new Place(async () => content(await get(`${path}/desk`)));
  const concerns = (/** @type {any} */ it) => it.operator === operator || it.from === operator || it.to?.operator === operator || it.target?.operator === operator;
  const stop = follow(concerns, () => place.refresh(), 15_000);
  const order = (/** @type {"POST" | "PUT"} */ method, /** @type {string} */ what, /** @type {unknown} */ body) => attempt(async () => {
    await exchange(method, `${path}/${what}`, { body });
    await place.refresh();
  });

  /** @param {any} desk */
  function content(desk) {
    const button = (/** @type {string} */ name) => desk.buttons.find((/** @type {any} */ it) => it.button === name) ?? { active: false };
    const reason = desk.reasons.find((/** @type {any} */ it) => it.reason === desk.reason);
    const act = (/** @type {string} */ name, /** @type {string} */ word, /** @type {() => unknown} */ press) =>
      button(name).active && h("button", { type: "button", data: { action: name, key: `person-${name}` }, onclick: press }, t(word));
    const available = desk.chat_status === "available";
    return [
      h("p.now", null, h("span.status", { data: { status: desk.status, person: "status" } }, t(`status.${desk.status}`)), " ",
        reason && desk.reason !== 0 && h("span.reason", null, inLanguage(reason)), " ",
        desk.status !== "logged-out" && ticking({ since: desk.since_us })),
      desk.device_lost && h("p.warning", { role: "alert" }, t("person.device-lost")),
      h("p.small", null, [desk.cti_number && `${t("phone.extension")} ${desk.cti_number}`, t(`chat-status.${desk.chat_status}`), t("person.calls").replace("{}", desk.calls_answered),
        t("person.chats").replace("{}", desk.chats.length), t("person.tickets").replace("{}", desk.tickets.length)].filter(Boolean).join(" · ")),
      desk.call && h("section.card", null, h("h3", null, t("person.in-hand")),
        h("p", null, `${desk.call.number ?? t("phone.no-number")} · ${t(`place.${desk.call.place}`)} · ${names.service(desk.call.service)} `, ticking({ since: desk.call.arrived_us })),
        desk.call.target && h("p", null, `→ ${partyWords(desk.call.target.party)}`)),
      desk.offers.length > 0 && h("section.card", null, h("h3", null, t("person.offers")), h("ul.rows", null, desk.offers.map((/** @type {any} */ it) => h("li", { data: { offer: it.offer } },
        h("span", null, `${workWords(it.work)}${it.queue === null ? "" : ` · ${names.queue(it.queue)}`} `, ticking({ until: it.until_us })),
        it.queue !== null && h("button", { type: "button", data: { action: "why" }, onclick: () => explainDialog(it.work) }, t("wallboard.why")),
        h("button.danger", { type: "button", data: { action: "withdraw", key: `withdraw-${it.offer}` }, onclick: () => attempt(async () => {
          await remove(`/offers/${it.offer}`);
          await place.refresh();
        }) }, t("person.withdraw")))))),
      button("status").active ? status(desk) : button("next-status").active ? next(desk) : null,
      h("div.buttons", null,
        act("login", "person.login", () => order("POST", "login", undefined)),
        h("button", { type: "button", data: { action: "chat-status", key: "person-chat-status" }, onclick: () => order("PUT", "chat-status", { status: available ? "away" : "available" }) },
          t(available ? "person.chat-away" : "person.chat-available")),
        act("logout", "person.logout", () => order("POST", "logout", undefined))),
    ];
  }

  /** What is chosen and not yet set stays while the desk is read anew. @type {string | null} */
  let chosen = null;

  /** @param {string} word @param {[any, string][]} options @param {any} now @param {(choice: any) => unknown} set */
  function choose(word, options, now, set) {
    const menu = /** @type {HTMLSelectElement} */ (select({ data: { key: "person-choice" }, onchange: () => { chosen = menu.value; } },
      options.map(([value, text]) => [JSON.stringify(value), text]), chosen ?? JSON.stringify(now)));
    return h("div.inline", null, field(t(word), menu), h("button.primary", { type: "button", data: { action: "set-status", key: "person-set" }, onclick: () => {
      const choice = JSON.parse(menu.value);
      chosen = null;
      return set(choice);
    } }, t("person.set")));
  }

  /** @param {any} desk */
  function status(desk) {
    const now = desk.status === "ready" ? { status: "ready" } : { status: desk.status, reason: desk.reason };
    return choose("person.status", statusOptions(reasons), now, (choice) => order("PUT", "status", choice));
  }

  /** @param {any} desk */
  function next(desk) {
    return [h("p.small", null, t("person.busy")),
      choose("person.next", [[null, t("person.as-set")], ...statusOptions(reasons)], desk.next, (choice) => order("PUT", "next-status", { next: choice }))];
  }

  dialog({ title: names.operator(operator), key: "person", content: [place.element], actions: [{ text: t("close") }], closed: stop });
  place.show();
}
