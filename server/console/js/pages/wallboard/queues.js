// Queues as cards: what waits, for how long, who is there, today's service level.

import { h } from "../../element.js";
import { length, serverNow, ticking } from "../../time.js";
import { addWords, t } from "../../words.js";
import { percent } from "../supervision/table.js";
import { lineDialog } from "./line.js";

addWords({
  "wallboard.waiting": ["Waiting", "待ち"],
  "wallboard.longest": ["Longest wait", "最長待ち"],
  "wallboard.ready": ["Ready", "待機"],
  "wallboard.logged-in": ["Logged in", "ログイン中"],
  "wallboard.ringing": ["Ringing", "呼出中"],
  "wallboard.estimate": ["Estimated wait", "予想待ち時間"],
  "wallboard.estimate.band": ["Who comes now waits this long; nine in ten are within the band.", "今入った場合の予想です。9割はこの範囲に入ります。"],
  "wallboard.level": ["Service level today", "本日のサービスレベル"],
  "wallboard.level.of": ["of {} offered", "着信 {} 件"],
  "wallboard.target": ["target {} in {} s", "目標 {}({} 秒以内)"],
  "wallboard.met": ["met", "達成"],
  "wallboard.not-met": ["below target", "目標未達"],
  "wallboard.closed": ["Closed", "営業時間外"],
  "wallboard.line": ["Who waits in {}", "{} の待ち一覧"],
});

/** @param {any[]} queues of `GET /queues` @param {Map<number, any>} today @param {any[]} targets */
export function queueCards(queues, today, targets) {
  if (queues.length === 0) return h("p.empty", null, t("nothing"));
  return queues.map((queue) => card(queue, today.get(queue.queue), targets[queue.queue]));
}

/** @param {any} queue @param {any} today @param {any} target */
function card(queue, today, target) {
  const { waiting, ringing, longest_wait_us: longest, estimate } = queue;
  const late = target && longest > 1_000 * target.wait_ms;
  const alone = waiting > 0 && queue.ready === 0;
  return h(`article.card.queue${late ? ".late" : ""}`, { data: { queue: queue.queue } },
    h("h3", null,
      h("button.quiet.name", { type: "button", "aria-label": t("wallboard.line").replace("{}", queue.name), data: { key: `line-${queue.queue}` }, onclick: () => lineDialog(queue) }, queue.name),
      h("span.tag", null, t(`channel.${queue.channel}`)), !queue.open && h("span.tag.warn", null, t("wallboard.closed"))),
    h("dl", null,
      figure("waiting", t("wallboard.waiting"), waiting, waiting > 0 ? "big busy" : "big"),
      figure("longest", t("wallboard.longest"), longest > 0 ? ticking({ since: serverNow() - longest }) : "–", late ? "big bad" : "big"),
      figure("ready", t("wallboard.ready"), queue.ready, alone ? "bad" : ""),
      figure("logged-in", t("wallboard.logged-in"), queue.logged_in),
      figure("ringing", t("wallboard.ringing"), ringing),
      figure("estimate", t("wallboard.estimate"), estimate
        ? h("span", { title: t("wallboard.estimate.band") }, seconds(estimate.expected_s), h("small", null, ` ${seconds(estimate.low_s)}–${seconds(estimate.high_s)}`)) : "–", "wide")),
    level(today, target));
}

/** @param {string} key @param {string} name @param {import("../../element.js").Child} value @param {string} [kind] */
function figure(key, name, value, kind = "") {
  return h("div", { class: kind, data: { figure: key } }, h("dt", null, name), h("dd", null, value));
}

const seconds = (/** @type {number} */ s) => length(1_000_000 * s);

/** @param {any} today @param {any} target */
function level(today, target) {
  const share = today?.figures.service_level;
  const aimed = target && target.level !== null;
  const met = aimed && share !== undefined && share >= target.level;
  return h("p.level", { data: { figure: "level" } },
    h("span", null, t("wallboard.level"), " ", h("strong", null, percent(share))), " ",
    h("small", null, t("wallboard.level.of").replace("{}", String(today?.figures.offered ?? 0))), " ",
    aimed && share !== undefined && h(met ? "span.tag.good" : "span.tag.bad", null, t(met ? "wallboard.met" : "wallboard.not-met")),
    aimed && h("small.aim", null, t("wallboard.target").replace("{}", percent(target.level)).replace("{}", String(target.wait_ms / 1_000))));
}
