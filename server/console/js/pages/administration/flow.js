// The editor of a call flow (P14): a plain list of steps, checked as it is edited.

import { h, field, replace, select } from "../../element.js";
import { addWords, t } from "../../words.js";
import { Bound, UNIT, focus } from "./bound.js";
import { audioName, audioOptions, queueOptions, skillOptions } from "./choices.js";
import { faults, targets } from "./flow-check.js";
import { floor } from "./floor.js";

addWords({
  "flow.hint": ["Steps run from 0 downwards unless one leads elsewhere. A missed call comes back to its queue step.", "ステップは0から順に実行されます。不応答の通話はキューのステップに戻ります。"],
  "flow.add": ["Add a step", "ステップを追加"],
  "flow.kind": ["Kind of step", "ステップの種類"],
  "flow.right": ["The flow is right.", "シナリオに問題はありません。"],
  "flow.errors": ["Errors: {}", "エラー: {}件"],
  "flow.warnings": ["Warnings: {}", "警告: {}件"],
  "flow.enters": ["Calls enter here:", "ここから開始する着信番号:"],
  "flow.choose": ["choose", "選択してください"],
  "flow.ends": ["the call ends", "通話を終了"],
  "flow.error": ["Error", "エラー"],
  "flow.warning": ["Warning", "警告"],
  "step.hours": ["Opening hours", "営業時間の判定"],
  "step.announcement": ["Announcement", "アナウンス"],
  "step.menu": ["Menu", "メニュー"],
  "step.set-skill": ["Ask for a skill", "スキルの指定"],
  "step.set-priority": ["Priority", "優先度"],
  "step.queue": ["Queue", "キュー"],
  "step.overflow": ["Overflow", "オーバーフロー"],
  "step.callback-offer": ["Offer to call back", "コールバックの案内"],
  "step.voicemail": ["Voicemail", "留守番電話"],
  "step.forward": ["Forward", "外部転送"],
  "step.go-to": ["Go to", "移動"],
  "step.end": ["End", "終了"],
  "step.closed": ["While closed, go to", "営業時間外の移動先"],
  "step.audio": ["Played", "再生する音声"],
  "step.limit": ["At most (s)", "最長(秒)"],
  "step.wait-digit": ["A key is waited for (s)", "キー入力を待つ時間(秒)"],
  "step.options": ["Keys", "キー"],
  "step.key": ["Key", "キー"],
  "step.leads": ["leads to", "移動先"],
  "step.add-key": ["Add a key", "キーを追加"],
  "step.otherwise": ["Another key or none leads to", "それ以外・入力なしの移動先"],
  "step.skill": ["Skill", "スキル"],
  "step.min": ["Least proficiency (1-10)", "最低習熟度(1〜10)"],
  "step.priority": ["From here on; 0 is ordinary, greater is more urgent", "以降の優先度。0が通常、大きいほど優先"],
  "step.on_full": ["A full queue leads to", "満杯のときの移動先"],
  "step.on_timeout": ["Its maximum wait leads to", "最大待ち時間を超えたときの移動先"],
  "step.when": ["While", "条件"],
  "step.when.waiting": ["at least so many calls wait", "待ち呼が次の件数以上"],
  "step.when.longest-wait-ms": ["somebody has waited so many seconds", "最長待ちが次の秒数以上"],
  "step.when.nobody-logged-in": ["nobody who serves it is logged in", "担当者が誰もログインしていない"],
  "step.when.nobody-ready": ["nobody who serves it is Ready", "待機中の担当者がいない"],
  "step.when.value": ["How many", "数値"],
  "step.to": ["Go to", "移動先"],
  "step.digit": ["The key that accepts", "受け付けるキー"],
  "step.callback-queue": ["The callback waits in", "コールバックのキュー"],
  "step.message": ["Longest message (s)", "録音の最長時間(秒)"],
  "step.message-queue": ["Its ticket waits in", "チケットのキュー"],
  "step.number": ["Number", "転送先番号"],
});

const KINDS = ["hours", "announcement", "menu", "set-skill", "set-priority", "queue", "overflow", "callback-offer", "voicemail", "forward", "go-to", "end"];

/** @typedef {import("./flow-check.js").Step} Step */

/** A flow as it is edited. @param {any[]} flow as the server has it @returns {Step[]} */
export function flowOf(flow) {
  return flow.map((step) => {
    if (step.step === "menu") return { ...step, options: Object.entries(step.options).map(([digit, to]) => ({ digit, to })) };
    if (step.step !== "overflow") return { ...step };
    const [kind, value] = typeof step.when === "string" ? [step.when, null] : Object.entries(step.when)[0];
    return { ...step, when: { kind, value } };
  });
}

/** @param {Step[]} flow */
export function flowToSend(flow) {
  return flow.map((step) => {
    if (step.step === "menu") {
      return { ...step, options: Object.fromEntries(step.options.map((/** @type {any} */ it) => [it.digit, it.to])) };
    }
    if (step.step !== "overflow") return step;
    const { kind, value } = step.when;
    return { ...step, when: kind.startsWith("nobody") ? kind : { [kind]: value ?? 0 } };
  });
}

/** A step of this kind to begin with. @param {string} kind @param {number} service @returns {Step} */
function fresh(kind, service) {
  const phone = floor.value.queues.findIndex((/** @type {any} */ it) => it.channel === "phone" && it.service === service);
  const queue = phone < 0 ? queueOptions(["phone"])[0]?.[0] ?? null : phone;
  switch (kind) {
    case "hours": return { step: kind, closed: null };
    case "announcement": return { step: kind, audio: 2, limit_ms: 10_000 };
    case "menu": return { step: kind, audio: 2, options: [{ digit: "1", to: null }], limit_ms: 10_000, otherwise: null };
    case "set-skill": return { step: kind, skill: skillOptions()[0]?.[0] ?? null, min: 1 };
    case "set-priority": return { step: kind, priority: 1 };
    case "queue": return { step: kind, queue, on_full: null, on_timeout: null };
    case "overflow": return { step: kind, queue, when: { kind: "nobody-logged-in", value: null }, to: null };
    case "callback-offer": return { step: kind, audio: 2, digit: "1", limit_ms: 10_000, queue };
    case "voicemail": return { step: kind, limit_ms: 120_000, queue: queueOptions(["ticket"])[0]?.[0] ?? null };
    case "forward": return { step: kind, number: "" };
    case "go-to": return { step: kind, to: null };
    default: return { step: "end" };
  }
}

/** Puts other numbers into everything that leads somewhere. @param {Step[]} flow @param {(old: number) => number | null} renumber */
function retarget(flow, renumber) {
  for (const step of flow) {
    for (const { of, field: name } of targets(step)) {
      if (of[name] !== null && of[name] !== undefined) of[name] = renumber(of[name]);
    }
  }
}

export class FlowEditor {
  /** @param {number} service @param {{number: string, step: number}[]} entering numbers that lead into the flow */
  constructor(service, entering) {
    this.service = service;
    this.entering = entering;
    /** What the server found. @type {{step: number, text: string} | null} */
    this.found = null;
    /** @type {Element | null} */
    this.list = null;
    /** @type {Element | null} */
    this.sum = null;
    /** @type {any} */
    this.draft = null;
  }

  /** @param {any} draft of the service */
  faults(draft) {
    return faults(draft.flow, {
      service: this.service, inbound: draft.inbound, queues: floor.value.queues, skills: floor.value.skills, audio: floor.audio,
      entering: this.entering.map((it) => it.step),
    });
  }

  /** @param {any} draft */
  isRight(draft) {
    return !this.faults(draft).some((it) => it.kind === "error");
  }

  /** A refusal that names a step is shown there. @param {{rule: string, message: string}} problem */
  refused(problem) {
    const match = problem.rule === "configuration" ? /^service ".*", step (\d+): (.*)$/.exec(problem.message) : null;
    if (!match || !this.list) return false;
    this.found = { step: Number(match[1]), text: match[2] };
    this.check();
    this.list.querySelector(`[data-step="${match[1]}"]`)?.scrollIntoView({ block: "center" });
    return true;
  }

  /** @param {any} draft of the service @param {() => void} again */
  body(draft, again) {
    this.draft = draft;
    /** @type {Step[]} */
    const flow = draft.flow;
    const kind = /** @type {HTMLSelectElement} */ (select({ data: { key: "new-step" } }, KINDS.map((it) => [it, t(`step.${it}`)]), "queue"));
    this.list = h("ol.flow", { start: 0 }, flow.map((step, at) => this.step(flow, step, at, again)));
    this.sum = h("p.sum", { role: "status", data: { flow: "sum" } });
    return h("div", null, h("p.small", null, t("flow.hint")), this.sum, this.list,
      h("div.inline.card", null, field(t("flow.kind"), kind),
        h("button", { type: "button", data: { action: "add-step", key: "add-step" }, onclick: () => { flow.push(fresh(kind.value, this.service)); again(); } }, t("flow.add"))));
  }

  /** After a change: what the server found may be mended. */
  edited() {
    this.found = null;
    this.check();
  }

  /** Shows every fault at its step. */
  check() {
    const { list, sum, draft } = this;
    if (!list || !sum) return;
    const found = this.faults(draft);
    if (this.found) found.push({ ...this.found, kind: "error" });
    const of = (/** @type {number} */ step) => found.filter((it) => it.step === step);
    const show = (/** @type {import("./flow-check.js").Fault} */ it) => h(`p.fault.${it.kind}`, null, h("strong", null, t(`flow.${it.kind}`)), ` ${it.text}`);
    for (const element of list.children) {
      const own = of(Number(/** @type {HTMLElement} */ (element).dataset.step));
      element.classList.toggle("faulty", own.some((it) => it.kind === "error"));
      replace(/** @type {Element} */ (element.querySelector(".faults")), own.map(show));
    }
    const errors = found.filter((it) => it.kind === "error").length;
    const words = [errors > 0 && t("flow.errors").replace("{}", String(errors)),
      found.length > errors && t("flow.warnings").replace("{}", String(found.length - errors))].filter(Boolean).join(" · ");
    sum.className = errors > 0 ? "sum wrong" : found.length > 0 ? "sum warning" : "sum right";
    replace(sum, words || t("flow.right"), of(-1).map((it) => ` ${it.text}`));
  }

  /** @param {Step[]} flow @param {Step} step @param {number} at @param {() => void} again */
  step(flow, step, at, again) {
    // The focus goes with the step.
    const swap = (/** @type {number} */ to, /** @type {string} */ word) => () => {
      flow.splice(to, 0, ...flow.splice(at, 1));
      retarget(flow, (old) => (old === at ? to : old === to ? at : old));
      again();
      focus(`step-${to}-${word}`, `step-${to}-entry.up`, `step-${to}-entry.down`);
    };
    const remove = () => {
      flow.splice(at, 1);
      retarget(flow, (old) => (old === at ? null : old > at ? old - 1 : old));
      again();
      focus(`step-${at}-remove`, "add-step");
    };
    const name = `${at} ${t(`step.${step.step}`)}`;
    const button = (/** @type {string} */ word, /** @type {string} */ sign, /** @type {() => void} */ press, off = false) => h("button.quiet", {
      type: "button", disabled: off, "aria-label": `${t(word)}: ${name}`, title: t(word), data: { key: `step-${at}-${word}` }, onclick: press,
    }, sign);
    const numbers = this.entering.filter((it) => it.step === at).map((it) => it.number);
    return h("li.card", { data: { step: at, kind: step.step } },
      h("header", null, h("h3", null, h("span.number", null, at), " ", t(`step.${step.step}`)),
        h("span.moves", null,
          button("entry.up", "↑", swap(at - 1, "entry.up"), at === 0), button("entry.down", "↓", swap(at + 1, "entry.down"), at === flow.length - 1),
          button("remove", "×", remove))),
      numbers.length > 0 && h("p.small", null, `${t("flow.enters")} ${numbers.join(", ")}`),
      h("div.grid", null, this.fields(flow, step, at, again)),
      h("div.faults", { "aria-live": "polite" }));
  }

  /** @param {Step[]} flow @param {Step} step @param {number} at @param {() => void} again @returns {import("../../element.js").Child[]} */
  fields(flow, step, at, again) {
    const own = new Bound(step, `step-${at}`);
    /** @type {[value: number, text: string][]} */
    const steps = flow.map((it, n) => [n, `${n} ${summary(it)}`]);
    const target = (/** @type {Bound} */ bound, /** @type {string} */ key, /** @type {string | null} */ none) =>
      bound.choice(key, [[null, none ?? t("flow.choose")], ...steps]);
    const audio = () => field(t("step.audio"), own.choice("audio", audioOptions()));
    const limit = (/** @type {string} */ word) => field(t(word), own.span("limit_ms", UNIT.second, { min: 1 }));
    const queue = (/** @type {string} */ word, /** @type {string} */ channel, /** @type {[null, string][]} */ ...none) =>
      field(t(word), own.choice("queue", [...none, ...queueOptions([channel])]));
    switch (step.step) {
      case "hours": return [field(t("step.closed"), target(own, "closed", null))];
      case "announcement": return [audio(), limit("step.limit")];
      case "menu": return [audio(), limit("step.wait-digit"), this.options(step, at, again, target), field(t("step.otherwise"), target(own, "otherwise", null))];
      case "set-skill": return [field(t("step.skill"), own.choice("skill", skillOptions())), field(t("step.min"), own.whole("min", { min: 1, max: 10 }))];
      case "set-priority": return [field(t("step.priority"), own.whole("priority", { max: 255 }))];
      case "queue": return [queue("step.queue", "phone"),
        field(t("step.on_full"), target(own, "on_full", t("flow.ends"))), field(t("step.on_timeout"), target(own, "on_timeout", t("flow.ends")))];
      case "overflow": return [queue("step.queue", "phone"), ...this.condition(step, at, again), field(t("step.to"), target(own, "to", null))];
      case "callback-offer": return [audio(), limit("step.wait-digit"), field(t("step.digit"), own.text("digit", { maxlength: 1 })), queue("step.callback-queue", "phone")];
      case "voicemail": return [limit("step.message"), queue("step.message-queue", "ticket", [null, t("none")])];
      case "forward": return [field(t("step.number"), own.text("number", { type: "tel", maxlength: 32 }))];
      case "go-to": return [field(t("step.to"), target(own, "to", null))];
      default: return [];
    }
  }

  /** @param {Step} step @param {number} at @param {() => void} again @param {(bound: Bound, key: string, none: string | null) => HTMLElement} target */
  options(step, at, again, target) {
    return h("fieldset.options", null, h("legend", null, t("step.options")),
      step.options.map((/** @type {any} */ option, /** @type {number} */ n) => {
        const one = new Bound(option, `step-${at}-option-${n}`);
        return h("div.inline", { data: { option: n } },
          field(t("step.key"), one.text("digit", { maxlength: 1, size: 2 })), field(t("step.leads"), target(one, "to", null)),
          h("button.quiet", { type: "button", "aria-label": `${t("remove")}: ${t("step.key")} ${option.digit}`, data: { key: `step-${at}-option-${n}-remove` },
            onclick: () => { step.options.splice(n, 1); again(); } }, "×"));
      }),
      h("button", { type: "button", data: { action: "add-key", key: `step-${at}-add-key` }, onclick: () => {
        const free = [..."1234567890*#"].find((digit) => !step.options.some((/** @type {any} */ it) => it.digit === digit));
        step.options.push({ digit: free ?? "", to: null });
        again();
      } }, t("step.add-key")));
  }

  /** @param {Step} step @param {number} at @param {() => void} again */
  condition(step, at, again) {
    const when = new Bound(step.when, `step-${at}-when`, again);
    const value = new Bound(step.when, `step-${at}-when`);
    const kinds = ["waiting", "longest-wait-ms", "nobody-logged-in", "nobody-ready"];
    return [
      field(t("step.when"), when.choice("kind", kinds.map((it) => [it, t(`step.when.${it}`)]))),
      step.when.kind === "waiting" && field(t("step.when.value"), value.whole("value", { min: 1 })),
      step.when.kind === "longest-wait-ms" && field(t("step.when.value"), value.span("value", UNIT.second)),
    ];
  }
}

/** A step in few words. @param {Step} step */
function summary(step) {
  const audio = "audio" in step ? floor.audio.find((it) => it.audio === step.audio) : undefined;
  const detail = step.step === "queue" ? floor.value.queues[step.queue]?.name : step.step === "forward" ? step.number : audio && audioName(audio);
  return detail ? `${t(`step.${step.step}`)}: ${detail}` : t(`step.${step.step}`);
}
