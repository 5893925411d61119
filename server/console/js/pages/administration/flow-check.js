// What is wrong with a call flow, found while it is edited: the server's own rules, and what no rule forbids but nobody means.

import { addWords, t } from "../../words.js";

addWords({
  "flow.empty": ["A service that takes calls needs a flow: add at least a queue step.", "受信するサービスにはシナリオが必要です。キューのステップを追加してください。"],
  "flow.no-target": ["Choose where it leads: the step is gone, or was never chosen.", "移動先のステップを選んでください。"],
  "flow.itself": ["It leads to itself: the call ends here.", "自分自身に戻るため、ここで通話が終了します。"],
  "flow.digit": ["A key is one of 0-9 * #.", "キーは 0-9 * # のいずれかです。"],
  "flow.digit-twice": ["The key {} is there twice.", "キー {} が重複しています。"],
  "flow.no-options": ["A menu without keys only waits.", "キーのないメニューは待つだけになります。"],
  "flow.audio": ["Choose what is played: it was removed, or never chosen.", "再生する音声を選んでください。"],
  "flow.limit": ["A limit above 0 s is right.", "0秒より長くしてください。"],
  "flow.queue": ["Choose a phone queue.", "電話のキューを選んでください。"],
  "flow.ticket-queue": ["A message waits in a queue of tickets.", "録音メッセージにはチケットのキューを選んでください。"],
  "flow.other-service": ["This queue is of another service.", "別のサービスのキューです。"],
  "flow.skill": ["Choose a skill, and a proficiency of 1 to 10.", "スキルと習熟度(1〜10)を選んでください。"],
  "flow.priority": ["A priority of 0 to 255 is right.", "優先度は0〜255です。"],
  "flow.number": ["Type the number that is connected: digits, * # +.", "転送先の番号を入力してください(数字と * # +)。"],
  "flow.unreached": ["Nothing leads here.", "どこからもこのステップに来ません。"],
  "flow.cycle": ["A loop without a step that plays or waits: the call ends here.", "再生も待機もしないループです。ここで通話が終了します。"],
});

/** @typedef {{step: string, [field: string]: any}} Step as edited: a menu's options and an overflow's condition are lists and records */
/** @typedef {{step: number, text: string, kind: "error" | "warning"}} Fault */
/** @typedef {{service: number, inbound: boolean, queues: {channel: string, service: number}[], skills: unknown[],
 *             audio: {audio: number}[], entering: number[]}} Around what a flow refers to; `entering`: steps at which numbers enter */

const KEY = /^[0-9*#]$/;
/** Steps that take no time. */
const INSTANT = ["hours", "set-skill", "set-priority", "overflow", "go-to"];

/**
 * Where a step can lead, but for the step below it: the record and the field that holds the number.
 * @param {Step} step @returns {{of: any, field: string, optional: boolean}[]}
 */
export function targets(step) {
  switch (step.step) {
    case "hours": return [{ of: step, field: "closed", optional: false }];
    case "menu": return [...step.options.map((/** @type {any} */ option) => ({ of: option, field: "to", optional: false })),
      { of: step, field: "otherwise", optional: false }];
    case "queue": return [{ of: step, field: "on_full", optional: true }, { of: step, field: "on_timeout", optional: true }];
    case "overflow": return [{ of: step, field: "to", optional: false }];
    case "go-to": return [{ of: step, field: "to", optional: false }];
    default: return [];
  }
}

/** Whether the step below follows. @param {Step} step */
function fallsThrough(step) {
  return !["menu", "queue", "voicemail", "forward", "go-to", "end"].includes(step.step);
}

/** @param {Step[]} flow @param {number} at @returns {number[]} */
function successors(flow, at) {
  const found = targets(flow[at]).map(({ of, field }) => of[field]).filter((to) => to !== null && to >= 0 && to < flow.length);
  if (fallsThrough(flow[at]) && at + 1 < flow.length) found.push(at + 1);
  return found;
}

/** @param {Step[]} flow @param {number[]} from @param {(at: number) => boolean} through */
function reached(flow, from, through) {
  const seen = new Set(from);
  const open = [...from];
  while (open.length > 0) {
    const at = /** @type {number} */ (open.pop());
    if (!through(at)) continue;
    for (const next of successors(flow, at)) {
      if (!seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
    }
  }
  return seen;
}

/** @param {Step[]} flow @param {Around} around @returns {Fault[]} */
export function faults(flow, around) {
  /** @type {Fault[]} */
  const found = [];
  if (flow.length === 0 && around.inbound) found.push({ step: -1, text: t("flow.empty"), kind: "error" });
  flow.forEach((step, at) => {
    const error = (/** @type {string} */ text) => found.push({ step: at, text, kind: "error" });
    const warning = (/** @type {string} */ text) => found.push({ step: at, text, kind: "warning" });
    own(step, around, error, warning);
    const missing = targets(step).some(({ of, field, optional }) => {
      const to = of[field];
      return to === null || to === undefined ? !optional : to < 0 || to >= flow.length;
    });
    if (missing) error(t("flow.no-target"));
    if (step.step === "go-to" && step.to === at) warning(t("flow.itself"));
    else if (INSTANT.includes(step.step) && reached(flow, successors(flow, at), (it) => INSTANT.includes(flow[it].step)).has(at)) warning(t("flow.cycle"));
  });
  if (flow.length > 0) {
    const all = reached(flow, [0, ...around.entering.filter((it) => it < flow.length)], () => true);
    flow.forEach((_, at) => all.has(at) || found.push({ step: at, text: t("flow.unreached"), kind: "warning" }));
  }
  return found;
}

/** What is wrong within a step. @param {Step} step @param {Around} around
 * @param {(text: string) => void} error @param {(text: string) => void} warning */
function own(step, around, error, warning) {
  const queue = (/** @type {number} */ number, /** @type {string} */ channel) => {
    const found = around.queues[number];
    if (found?.channel !== channel) error(t(channel === "ticket" ? "flow.ticket-queue" : "flow.queue"));
    else if (found.service !== around.service) warning(t("flow.other-service"));
  };
  if ("audio" in step && !around.audio.some((it) => it.audio === step.audio)) error(t("flow.audio"));
  if ("limit_ms" in step && !(step.limit_ms > 0)) error(t("flow.limit"));
  switch (step.step) {
    case "menu": {
      const digits = step.options.map((/** @type {any} */ option) => option.digit);
      if (digits.length === 0) warning(t("flow.no-options"));
      if (!digits.every((/** @type {string} */ digit) => KEY.test(digit))) error(t("flow.digit"));
      const twice = digits.find((/** @type {string} */ digit, /** @type {number} */ n) => digit !== "" && digits.indexOf(digit) !== n);
      if (twice !== undefined) error(t("flow.digit-twice").replace("{}", twice));
      break;
    }
    case "set-skill":
      if (step.skill === null || step.skill >= around.skills.length || !(step.min >= 1 && step.min <= 10)) error(t("flow.skill"));
      break;
    case "set-priority":
      if (!(step.priority >= 0 && step.priority <= 255)) error(t("flow.priority"));
      break;
    case "queue":
    case "overflow":
      queue(step.queue, "phone");
      break;
    case "callback-offer":
      queue(step.queue, "phone");
      if (!KEY.test(step.digit)) error(t("flow.digit"));
      break;
    case "voicemail":
      if (step.queue !== null && step.queue !== undefined) queue(step.queue, "ticket");
      break;
    case "forward":
      if (!/^[\d*#+ ().-]*\d[\d*#+ ().-]*$/.test(step.number)) error(t("flow.number"));
      break;
    default:
  }
}
