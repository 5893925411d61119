// What there is to choose from: services, queues, skills, audio, time zones, statuses with their reasons.

import { h } from "../../element.js";
import { addWords, inLanguage, t } from "../../words.js";
import { floor } from "./floor.js";

addWords({
  "channel.phone": ["Phone", "電話"],
  "channel.chat": ["Chat", "チャット"],
  "channel.ticket": ["Ticket", "チケット"],
  "sound.0": ["Announcement of a forced end (built in)", "強制終了アナウンス(内蔵)"],
  "sound.1": ["Music (built in)", "保留音(内蔵)"],
  "sound.2": ["Greeting (built in)", "ガイダンス(内蔵)"],
});

/** @typedef {[value: number, text: string][]} Options */

/** @param {{audio: number, name: string, built_in: boolean}} it */
export function audioName(it) {
  return it.built_in ? t(`sound.${it.audio}`) : it.name;
}

/** @returns {Options} */
export function audioOptions() {
  return floor.audio.map((it) => [it.audio, audioName(it)]);
}

/** @returns {Options} */
export function serviceOptions() {
  return floor.value.services.map((/** @type {any} */ it, /** @type {number} */ n) => [n, it.name]);
}

/** @returns {Options} */
export function skillOptions() {
  return floor.value.skills.map((/** @type {string} */ name, /** @type {number} */ n) => [n, name]);
}

/** Queues of these channels, with their service's name where there are several. @param {string[]} channels @returns {Options} */
export function queueOptions(channels) {
  const several = floor.value.services.length > 1;
  return floor.value.queues.flatMap((/** @type {any} */ it, /** @type {number} */ n) => (!channels.includes(it.channel) ? []
    : [[n, several ? `${it.name} (${floor.value.services[it.service]?.name ?? it.service})` : it.name]]));
}

/** Statuses that can be set, each with its reasons. @param {any[]} reasons of `GET /floor/reasons`
 * @returns {[value: any, text: string][]} */
export function statusOptions(reasons) {
  const of = (/** @type {"work" | "break"} */ status) => [
    [{ status, reason: 0 }, t(`status.${status}`)],
    ...reasons.filter((it) => it.of === status && !it.retired)
      .map((it) => [{ status, reason: it.reason }, `${t(`status.${status}`)}: ${inLanguage(it)}`]),
  ];
  return /** @type {[any, string][]} */ ([...of("work"), [{ status: "ready" }, t("status.ready")], ...of("break")]);
}

/** The list of time zones that an input of this page names by `list`. */
export function zones() {
  return h("datalist", { id: "zones" }, Intl.supportedValuesOf("timeZone").map((zone) => h("option", { value: zone })));
}
