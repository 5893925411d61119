// What a customer had to do with us: calls and tickets, the newest first.

import { h } from "../../element.js";
import { length, moment } from "../../time.js";
import { addWords, t } from "../../words.js";
import { cause, people } from "../calls/record.js";
import { callLink, owner, ticketLink, ticketStatus } from "../shared/say.js";

addWords({
  "history.empty": ["No calls or tickets yet", "履歴はまだありません"],
  "history.talked": ["Talked", "通話時間"],
});

/** @param {any} contact */
function call(contact) {
  return h("li", { data: { contact: `call-${contact.call}` } },
    h("time", null, moment(contact.at_us)),
    h("span.what", null, t(contact.outbound ? "channel.phone-out" : "channel.phone-in"), " ", callLink(contact.call), " ", cause(contact)),
    h("small", null, [
      contact.operators.length > 0 ? people(contact.operators) : null,
      contact.talk_us > 0 ? `${t("history.talked")} ${length(contact.talk_us)}` : null,
    ].filter(Boolean).join(" · "), contact.ticket === null ? null : [" ", ticketLink(contact.ticket)]));
}

/** @param {any} contact */
function ticket(contact) {
  return h("li", { data: { contact: `ticket-${contact.ticket}` } },
    h("time", null, moment(contact.at_us)),
    h("span.what", null, ticketLink(contact.ticket), " ", contact.subject, " ", ticketStatus(contact.status)),
    h("small", null, owner(contact.owner)));
}

/**
 * @param {any[]} contacts the answer of `GET /customers/{customer}/timeline`
 * @param {{but?: number, most?: number}} [of] without this ticket and its calls; at most so many
 */
export function history(contacts, of = {}) {
  const shown = contacts.filter((it) => of.but === undefined || it.ticket !== of.but).slice(0, of.most ?? contacts.length);
  if (shown.length === 0) return h("p.empty", null, t("history.empty"));
  return h("ol.contacts", null, shown.map((it) => (it.kind === "call" ? call(it) : ticket(it))));
}
