// A ticket's SLA clocks: business time that counts while it is New or Open, as the server has it, running between two readings.

import { get } from "../../api.js";
import { h, replace } from "../../element.js";
import { names, who } from "../../session.js";
import { length, serverNow, ticking } from "../../time.js";
import { addWords, t } from "../../words.js";
import { origin, say } from "../shared/say.js";

addWords({
  "clock.first-response": ["First reply", "初回返信"],
  "clock.resolution": ["Resolution", "解決"],
  "clock.of": ["of {limit}", "/ 目標 {limit}"],
  "clock.late": ["Late", "期限超過"],
  "clock.met": ["Replied", "返信済み"],
  "clock.none": ["Answered at once", "即時対応"],
  "clock.stands": ["Stands", "停止中"],
  "clock.runs": ["Runs", "計測中"],
});

/** The settings of services, where they may be read: an operator may not. @type {Map<number, Promise<any>>} */
const settings = new Map();

/** Limits of a service's clocks, in microseconds; `null` where there is none or it may not be known. @param {number} service */
async function limitsOf(service) {
  if (who().role === "operator") return { first: null, resolution: null };
  if (!settings.has(service)) settings.set(service, get(`/floor/services/${service}`).catch(() => null));
  const found = await settings.get(service);
  const us = (/** @type {number | null | undefined} */ ms) => (ms === null || ms === undefined ? null : ms * 1000);
  return { first: us(found?.settings?.first_response_ms), resolution: us(found?.settings?.resolution_ms) };
}

/** Whether a service is open, as far as its queues say. @param {number} service */
function isOpen(service) {
  const of = [...names.queues.values()].filter((it) => it.service === service);
  return of.length === 0 || of.some((it) => /** @type {any} */ (it).open !== false);
}

export class ClockCard {
  constructor() {
    this.element = h("dl.terms.clocks");
    /** The reading before: a clock that did not move since stands, for the service is closed. @type {{at: number, us: number} | null} */
    this.before = null;
  }

  /** @param {any} ticket */
  async take(ticket) {
    const now = Date.now();
    const { first_response_us: first, resolution_us: resolution } = ticket.clocks_now;
    const counts = ["new", "open"].includes(ticket.status);
    const moved = this.before && now - this.before.at > 2_000 ? resolution > this.before.us : isOpen(ticket.service);
    this.before = { at: now, us: resolution };
    const at = serverNow();
    const limits = await limitsOf(ticket.service);
    const written = ["written", "voicemail"].includes(origin(ticket.origin).channel);
    const replied = ticket.first_reply_us !== null;
    const row = (/** @type {string} */ key, /** @type {number} */ us, /** @type {boolean} */ runs, /** @type {number | null} */ limit,
      /** @type {boolean} */ late, /** @type {string} */ said) =>
      h("div", { data: { clock: key, runs: String(runs), late: String(late) } },
        h("dt", null, t(`clock.${key}`)),
        h("dd", null, runs ? ticking({ since: at - us }) : h("time", null, length(us)),
          limit === null ? null : ` ${say("clock.of", { limit: length(limit) })}`, " ",
          h("small", null, said), late ? h("span.tag.late", null, t("clock.late")) : null));
    const runs = counts && moved;
    replace(this.element,
      written || replied
        ? row("first-response", first, runs && !replied, limits.first, ticket.first_response_late, replied ? t("clock.met") : t(runs ? "clock.runs" : "clock.stands"))
        : row("first-response", first, false, null, false, t("clock.none")),
      row("resolution", resolution, runs, limits.resolution, ticket.resolution_late, t(runs ? "clock.runs" : "clock.stands")));
  }
}
