// Chats that are over: an operator's own, for supervisors everybody's.

import { get } from "../../api.js";
import { h } from "../../element.js";
import { names, who } from "../../session.js";
import { length, moment } from "../../time.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { numberOf, owner, ticketLink } from "../shared/say.js";
import { Pager, table } from "../shared/table.js";

addWords({
  "past.opened": ["Opened", "開始"],
  "past.length": ["Length", "時間"],
  "past.ending": ["End", "終了理由"],
  "past.lines": ["Lines", "行数"],
});

const PAGE = 50;

/** @param {any} chat */
function row(chat) {
  return h("tr", { data: { chat: chat.chat } },
    h("td.subject", null, h("a", { href: `#/chats/${chat.chat}` }, chat.name)),
    h("td", null, moment(chat.opened_us)),
    h("td", null, names.queue(chat.queue)),
    h("td", null, chat.operator === null ? "" : owner(chat.operator)),
    h("td", null, t(chat.ending ? `chat.ending.${chat.ending}` : `chat.state.${chat.state}`)),
    h("td.figure", null, chat.answered_us === null || chat.ended_us === null ? "" : length(chat.ended_us - chat.answered_us)),
    h("td.figure", null, chat.messages),
    h("td", null, chat.evaluation ? `${chat.evaluation.score} / 5` : ""),
    h("td", null, chat.ticket ? ticketLink(numberOf(chat.ticket)) : ""));
}

/** The list. */
export function pastChats() {
  const { role, operator } = who();
  const place = new Place(async () => {
    const found = await get("/chats", { operator: role === "operator" ? operator : null, before: pager.after, limit: PAGE });
    pager.show(found.length === PAGE ? found[PAGE - 1].number : null);
    return table(t("chats.past"), [
      t("chat.customer"), t("past.opened"), t("shared.queue"), t("shared.operator"), t("past.ending"), `#${t("past.length")}`,
      `#${t("past.lines")}`, t("chat.evaluation"), t("shared.ticket"),
    ], found.filter((/** @type {any} */ it) => it.state === "ended").map(row));
  });
  const pager = new Pager(() => place.show());
  place.show();
  return h("div", null, place.element, pager.element);
}
