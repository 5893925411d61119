// Operators as tiles by status: moved one by one as events come, so that a floor of hundreds stays quick.

import { h } from "../../element.js";
import { ticking } from "../../time.js";
import { addWords, inLanguage, t } from "../../words.js";
import { personDialog } from "./person.js";

addWords({
  "wallboard.chat": ["chat", "チャット"],
});

/** In the order in which a supervisor looks for them. */
const STATUSES = ["ringing", "talking", "consulting", "holding", "dialing", "after-call-work", "ready", "work", "break", "logged-out"];

/** @typedef {{operator: number, name: string, status: string, since_us: number, reason: number, chat_status: string, cti_number: string | null, services: number[]}} Person */

export class People {
  constructor() {
    /** @type {Map<number, {person: Person, tile: HTMLElement}>} */
    this.known = new Map();
    /** @type {any[]} */
    this.reasons = [];
    /** @type {number | null} */
    this.service = null;
    this.groups = new Map(STATUSES.map((status) => {
      const count = h("span.count");
      const list = h("ul.tiles");
      const title = h("summary", null, h("span.status", { data: { status } }, t(`status.${status}`)), " ", count);
      const group = h("details.group", { open: status !== "logged-out", hidden: true, data: { group: status } }, title, list);
      return [status, { group, list, count }];
    }));
    this.empty = h("p.empty", null, t("nothing"));
    this.element = h("div.people", null, this.empty, [...this.groups.values()].map(({ group }) => group));
  }

  /** All of them, as read; who changed since is newer than what was read. @param {Person[]} all */
  take(all) {
    const there = new Set(all.map((person) => person.operator));
    for (const [operator, { tile }] of this.known) {
      if (!there.has(operator)) {
        tile.remove();
        this.known.delete(operator);
      }
    }
    for (const person of all.toSorted((a, b) => a.since_us - b.since_us)) {
      const before = this.known.get(person.operator)?.person;
      this.put(before && before.since_us > person.since_us ? { ...person, status: before.status, since_us: before.since_us, reason: before.reason } : person);
    }
    this.count();
  }

  /** @param {import("../../stream.js").Happened} happened */
  hear(happened) {
    if (happened.event !== "status-changed" && happened.event !== "chat-status-changed") return;
    const person = this.known.get(happened.operator)?.person;
    if (!person) return;
    if (happened.event === "chat-status-changed") this.put({ ...person, chat_status: happened.to });
    else if (happened.at_us >= person.since_us) this.put({ ...person, status: happened.to, reason: happened.reason ?? 0, since_us: happened.at_us });
    this.count();
  }

  /** Only those of a service. @param {number | null} service */
  only(service) {
    this.service = service;
    for (const { person, tile } of this.known.values()) tile.hidden = !this.isShown(person);
    this.count();
  }

  /** @param {Person} person */
  isShown(person) {
    return this.service === null || person.services.includes(this.service);
  }

  /** @param {Person} person */
  put(person) {
    const before = this.known.get(person.operator);
    if (before && same(before.person, person)) return;
    const button = before?.tile.firstElementChild ?? h("button.tile", { type: "button", data: { operator: person.operator, key: `person-${person.operator}` }, onclick: () => personDialog(person.operator, this.reasons) });
    const tile = before?.tile ?? h("li", null, button);
    const focused = tile.contains(document.activeElement);
    const reason = ["work", "break"].includes(person.status) && person.reason !== 0 ? this.reasons.find((it) => it.reason === person.reason) : null;
    /** @type {HTMLElement} */ (button).dataset.status = person.status;
    button.replaceChildren(
      h("strong", null, person.name),
      h("span.detail", null, reason ? inLanguage(reason) : person.cti_number ?? "", person.chat_status === "available" && h("span.tag", null, t("wallboard.chat"))),
      person.since_us > 0 && person.status !== "logged-out" ? ticking({ since: person.since_us }) : "");
    tile.hidden = !this.isShown(person);
    this.known.set(person.operator, { person, tile });
    const list = this.groups.get(person.status)?.list;
    if (list && (tile.parentElement !== list || before?.person.since_us !== person.since_us)) list.append(tile);
    if (focused) /** @type {HTMLElement} */ (button).focus({ preventScroll: true });
  }

  count() {
    let all = 0;
    for (const { group, list, count } of this.groups.values()) {
      const shown = [...list.children].filter((tile) => !/** @type {HTMLElement} */ (tile).hidden).length;
      all += shown;
      group.hidden = shown === 0;
      const text = String(shown);
      if (count.textContent !== text) count.textContent = text;
    }
    this.empty.hidden = all > 0;
  }
}

/** @param {Person} a @param {Person} b */
function same(a, b) {
  return a.status === b.status && a.since_us === b.since_us && a.reason === b.reason && a.chat_status === b.chat_status && a.name === b.name
    && a.cti_number === b.cti_number && String(a.services) === String(b.services);
}
