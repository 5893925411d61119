// Queues: who is asked, how that relaxes, limits, the service level that is aimed at.

import { h, field } from "../../element.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";
import { percent, table } from "../supervision/table.js";
import { Bound, UNIT } from "./bound.js";
import { serviceOptions, skillOptions } from "./choices.js";
import { edit, isUnsaved } from "./editor.js";
import { floor } from "./floor.js";
import { entries } from "./numbers.js";

addWords({
  "administration.queues": ["Queues", "キュー"],
  "queue.add": ["Add a queue", "キューを追加"],
  "queue.new": ["New queue", "新しいキュー"],
  "queue.back": ["All queues", "キュー一覧"],
  "queue.channel": ["Channel", "チャネル"],
  "queue.fixed": ["Cannot be changed later", "後から変更できません"],
  "queue.policy": ["Which Ready operator is chosen", "割り当て方式"],
  "queue.every_ms": ["One more rings every (s)", "次のオペレーターを追加する間隔(秒)"],
  "policy.longest-idle": ["Longest since the last call", "最後の通話から最も長い人"],
  "policy.longest-ready": ["Longest since becoming Ready", "待機になってから最も長い人"],
  "policy.fewest-calls": ["Fewest calls since login", "ログイン後の通話が最も少ない人"],
  "policy.least-occupied": ["Least occupied", "稼働率が最も低い人"],
  "policy.highest-proficiency": ["Highest proficiency", "習熟度が最も高い人"],
  "policy.fixed-order": ["First in the order of operators", "オペレーターの順番どおり"],
  "policy.round-robin": ["Round robin", "ラウンドロビン"],
  "policy.random": ["Random", "ランダム"],
  "policy.ring-all": ["Everybody rings", "一斉呼出"],
  "policy.ring-progressive": ["One more rings every so often", "順次追加呼出"],
  "queue.asked": ["Who is asked", "対象のオペレーター"],
  "queue.needs": ["Skills that are asked for", "必要なスキル"],
  "queue.add-need": ["Add a skill", "スキルを追加"],
  "queue.skill": ["Skill", "スキル"],
  "queue.min": ["Least proficiency (1-10)", "最低習熟度(1〜10)"],
  "queue.first_level": ["Highest level that is asked at first (255: every level)", "最初に対象とする最大レベル(255: すべて)"],
  "queue.relax": ["Relaxations as the wait grows", "待ち時間による条件の緩和"],
  "queue.relax.hint": ["In the order of their waits.", "待ち時間の短い順に並べてください。"],
  "queue.add-relax": ["Add a relaxation", "緩和を追加"],
  "queue.after": ["After a wait of (s)", "待ち時間(秒)"],
  "queue.change": ["What changes", "変更内容"],
  "relax.drop-skill": ["a skill is no longer asked for", "スキルを条件から外す"],
  "relax.min-proficiency": ["no more than this proficiency is asked for", "最低習熟度をこの値まで下げる"],
  "relax.widen": ["members up to this level are asked", "このレベルまで対象を広げる"],
  "queue.value": ["Value", "値"],
  "queue.limits": ["Order and limits", "順番と上限"],
  "queue.head_start_ms": ["One level of priority counts as having waited longer by (s)", "優先度1段階の待ち時間換算(秒)"],
  "queue.head_start.hint": ["Empty: a higher priority goes first, whatever the wait", "空欄: 待ち時間にかかわらず優先度の高い順"],
  "queue.ring_limit_ms": ["Ring limit (s)", "呼回収時間(秒)"],
  "queue.ring_limit.hint": ["Empty: the service's", "空欄: サービスの設定"],
  "queue.limit": ["Most that may wait", "最大待ち数"],
  "queue.maximum_wait_ms": ["Longest wait (s)", "最大待ち時間(秒)"],
  "queue.last_operator_ms": ["The customer's last operator is waited for (s)", "前回の担当者を待つ時間(秒)"],
  "queue.last_operator.hint": ["Empty: not at all", "空欄: 待たない"],
  "queue.target": ["Service level", "サービスレベル"],
  "target.wait_ms": ["T: in time up to a wait of (s)", "T: 目標応答時間(秒)"],
  "target.short_ms": ["s: an abandonment is short up to (s)", "s: 短時間放棄とみなす時間(秒)"],
  "target.rule": ["Early abandonments", "早期放棄の扱い"],
  "target.level": ["Aimed at (%)", "目標(%)"],
  "target.level.none": ["Empty: no target", "空欄: 目標なし"],
  "rule.short": ["short", "短時間放棄を除く"],
  "rule.ignore": ["ignore", "早期放棄を除く"],
  "rule.negative": ["negative", "早期放棄は未達"],
  "rule.positive": ["positive", "早期放棄は達成"],
  "rule.handled": ["handled: flattering", "応答のみ(甘い指標)"],
});

/** How each rule counts. */
const RULES = {
  short: "A_T ÷ (N − B_s − F)",
  ignore: "A_T ÷ (N − B_T)",
  negative: "A_T ÷ N",
  positive: "(A_T + B_T) ÷ N",
  handled: "A_T ÷ A",
};

const POLICIES = ["longest-idle", "longest-ready", "fewest-calls", "least-occupied", "highest-proficiency", "fixed-order", "round-robin", "random"];
const RINGING = ["ring-all", "ring-progressive"];

/** @type {import("../administration.js").Section} */
export const queuesSection = {
  key: "queues",
  open(into, [number]) {
    if (number === undefined) return into.append(...list());
    const isNew = number === "new";
    const edited = h("div");
    into.append(h("p.back", null, h("a", { href: "#/administration/queues" }, "← ", t("queue.back"))), edited);
    edit(edited, {
      key: `queues/${number}`,
      title: (draft) => draft.name || t("queue.new"),
      read: ({ queues }) => (isNew ? fresh() : queues[number] ? draftOf(queues[number]) : null),
      body: (draft, again) => body(draft, again, isNew),
      words: (name) => t(`queue.${name}`),
      write: (draft) => ({ method: isNew ? "POST" : "PUT", path: isNew ? "/floor/queues" : `/floor/queues/${number}`, body: toSend(draft) }),
      saved: isNew ? ({ queue }) => { location.hash = `#/administration/queues/${queue}`; } : undefined,
    });
  },
};

function list() {
  return [
    h("div.heading", null, h("h2", null, t("administration.queues")),
      h("a.button", { href: "#/administration/queues/new", data: { action: "add", key: "add" } }, t("queue.add"))),
    table(t("administration.queues"), [t("name"), t("service.one"), t("queue.channel"), t("queue.policy"), t("queue.needs"), t("queue.target")],
      floor.value.queues.map((/** @type {any} */ it, /** @type {number} */ n) => ({
        data: { queue: n },
        cells: [
          [h("a", { href: `#/administration/queues/${n}` }, it.name), isUnsaved(`queues/${n}`) && h("span.unsaved", null, ` ${t("editor.unsaved")}`)],
          names.service(it.service), t(`channel.${it.channel}`), h("span.roomy", null, t(`policy.${it.policy.policy}`)),
          it.needs.map((/** @type {any} */ need) => `${floor.value.skills[need.skill]} ≥ ${need.min}`).join(", ") || t("none"),
          h("span.roomy", null, `${it.target.level === null ? "" : `${percent(it.target.level)}, `}T = ${it.target.wait_ms / 1_000} s (${t(`rule.${it.target.rule}`)})`),
        ],
      })), { key: "queues" }),
  ];
}

function fresh() {
  return {
    name: "", service: 0, channel: "phone", policy: { policy: "longest-idle" }, needs: [], head_start_ms: null, first_level: 255, relax: [],
    ring_limit_ms: null, limit: null, maximum_wait_ms: null, last_operator_ms: null,
    target: { wait_ms: 20_000, short_ms: 5_000, rule: "short", level: 0.8 },
  };
}

/** @param {any} queue */
function draftOf(queue) {
  const relax = queue.relax.map((/** @type {any} */ it) => {
    const [kind, value] = Object.entries(it.change)[0];
    return { after_ms: it.after_ms, kind, value };
  });
  return { ...structuredClone(queue), relax };
}

/** @param {any} draft */
function toSend(draft) {
  const { policy } = draft.policy;
  return {
    ...draft,
    policy: policy === "ring-progressive" ? { policy, every_ms: draft.policy.every_ms ?? 5_000 } : { policy },
    relax: draft.relax.map((/** @type {any} */ it) => ({ after_ms: it.after_ms, change: { [it.kind]: it.value ?? 0 } })),
  };
}

/** @param {any} draft @param {() => void} again @param {boolean} isNew @returns {import("../../element.js").Child[]} */
function body(draft, again, isNew) {
  const own = new Bound(draft, "");
  const shaping = new Bound(draft, "", again);
  const policy = new Bound(draft.policy, "policy", again);
  const every = new Bound(draft.policy, "policy");
  const target = new Bound(draft.target, "target");
  const fixed = isNew ? t("queue.fixed") : undefined;
  const policies = draft.channel === "phone" ? [...POLICIES, ...RINGING] : POLICIES;
  const optional = (/** @type {string} */ key, /** @type {string} */ hint, least = 0) =>
    field(t(`queue.${key}`), own.span(key, UNIT.second, { optional: true, min: least }), t(hint));
  return [
    h("fieldset.card.grid", null,
      field(t("name"), own.text("name")),
      field(t("service.one"), own.choice("service", serviceOptions(), { disabled: !isNew }), fixed),
      field(t("queue.channel"), shaping.choice("channel", ["phone", "chat", "ticket"].map((it) => [it, t(`channel.${it}`)]), { disabled: !isNew }), fixed)),
    h("fieldset.card", null, h("legend", null, t("queue.asked")),
      h("div.grid", null,
        field(t("queue.policy"), policy.choice("policy", policies.map((it) => [it, t(`policy.${it}`)]))),
        draft.policy.policy === "ring-progressive" && field(t("queue.every_ms"), every.span("every_ms", UNIT.second, { min: 0.1 })),
        field(t("queue.first_level"), own.whole("first_level", { max: 255 })))),
    entries({
      of: draft.needs, key: "needs", text: t("queue.needs"), add: t("queue.add-need"), again,
      fresh: () => ({ skill: skillOptions()[0]?.[0] ?? 0, min: 1 }), name: (it) => floor.value.skills[it.skill] ?? "",
      entry(it, at) {
        const one = new Bound(it, `need-${at}`);
        return [field(t("queue.skill"), one.choice("skill", skillOptions())), field(t("queue.min"), one.whole("min", { min: 1, max: 10 }))];
      },
    }),
    entries({
      of: draft.relax, key: "relax", text: t("queue.relax"), hint: t("queue.relax.hint"), add: t("queue.add-relax"), again,
      fresh: () => ({ after_ms: 30_000, kind: "widen", value: 255 }), name: (it) => t(`relax.${it.kind}`),
      entry: (it, at) => relaxation(it, at, again),
    }),
    h("fieldset.card.grid", null, h("legend", null, t("queue.limits")),
      optional("head_start_ms", "queue.head_start.hint"),
      optional("ring_limit_ms", "queue.ring_limit.hint", 1),
      field(t("queue.limit"), own.whole("limit", { optional: true }), t("settings.none")),
      optional("maximum_wait_ms", "settings.none"),
      optional("last_operator_ms", "queue.last_operator.hint")),
    h("fieldset.card.grid", null, h("legend", null, t("queue.target")),
      field(t("target.wait_ms"), target.span("wait_ms", UNIT.second)),
      field(t("target.short_ms"), target.span("short_ms", UNIT.second)),
      field(t("target.rule"), target.choice("rule", Object.entries(RULES).map(([it, counts]) => [it, `${t(`rule.${it}`)}: ${counts}`]))),
      field(t("target.level"), target.percent("level"), t("target.level.none"))),
  ];
}

/** @param {any} it @param {number} at @param {() => void} again */
function relaxation(it, at, again) {
  const one = new Bound(it, `relax-${at}`);
  const kind = new Bound(it, `relax-${at}`, () => {
    it.value = it.kind === "drop-skill" ? skillOptions()[0]?.[0] ?? 0 : it.kind === "widen" ? 255 : 1;
    again();
  });
  return [
    field(t("queue.after"), one.span("after_ms", UNIT.second)),
    field(t("queue.change"), kind.choice("kind", ["widen", "min-proficiency", "drop-skill"].map((key) => [key, t(`relax.${key}`)]))),
    field(t("queue.value"), it.kind === "drop-skill" ? one.choice("value", skillOptions()) : one.whole("value", { max: it.kind === "widen" ? 255 : 10 })),
  ];
}
