// Times: the server counts microseconds since 1970, and its clock is the one that counts.

import { h } from "./element.js";
import { language } from "./words.js";

/** The server's clock less ours, in milliseconds. */
let ahead = 0;

/** Takes the server's clock from an answer. @param {number} nowUs */
export function setServerTime(nowUs) {
  ahead = nowUs / 1000 - Date.now();
}

/** The server's time, in microseconds. */
export function serverNow() {
  return (Date.now() + ahead) * 1000;
}

/** A length of time: 0:07, 12:30, 1:02:03. @param {number} us */
export function length(us) {
  const all = Math.max(0, Math.floor(us / 1_000_000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** A moment; of today, without the date. @param {number | null | undefined} us */
export function moment(us) {
  if (us === null || us === undefined) return "";
  const date = new Date(us / 1000);
  const today = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(language(), {
    ...(today ? {} : { year: "numeric", month: "2-digit", day: "2-digit" }),
    hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  }).format(date);
}

/** A length that grows from `sinceUs`, or shrinks until `untilUs`. @param {{since?: number, until?: number}} of */
export function ticking(of) {
  const element = h("time.ticking", { data: of.since !== undefined ? { since: of.since } : { until: of.until } });
  tick(element);
  return element;
}

/** @param {HTMLElement} element */
function tick(element) {
  const { since, until } = element.dataset;
  const now = serverNow();
  // A countdown says 1 until nothing is left.
  const text = since !== undefined ? length(now - Number(since)) : length(Math.max(0, Number(until) - now) + 999_999);
  if (element.textContent !== text) element.textContent = text;
}

setInterval(() => {
  for (const element of document.querySelectorAll("time.ticking")) tick(/** @type {HTMLElement} */ (element));
}, 250);
