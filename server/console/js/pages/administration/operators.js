// Operators: rights, CTI id and number, device, capacity, skills, queues, the telephone's password.

import { h, field, values } from "../../element.js";
import { dialog, tell } from "../../dialog.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";
import { table } from "../supervision/table.js";
import { Bound, check } from "./bound.js";
import { skillOptions } from "./choices.js";
import { edit, isUnsaved } from "./editor.js";
import { floor } from "./floor.js";
import { entries } from "./numbers.js";

addWords({
  "administration.operators": ["Operators", "オペレーター"],
  "operator.one": ["Operator", "オペレーター"],
  "operator.add": ["Add an operator", "オペレーターを追加"],
  "operator.new": ["New operator", "新しいオペレーター"],
  "operator.back": ["All operators", "オペレーター一覧"],
  "operator.phone": ["Phone right", "電話権限"],
  "operator.phone.hint": ["Without it there is no CTI login.", "権限がないとCTIログインできません。"],
  "operator.cti_id": ["CTI id", "CTI ID"],
  "operator.cti_number": ["CTI number (extension)", "CTI番号(内線)"],
  "operator.cti.hint": ["Both are needed for a CTI login, and unique.", "CTIログインには両方が必要です。重複できません。"],
  "operator.device": ["What rings", "着信する端末"],
  "device.sip-phone": ["SIP phone", "SIP電話機"],
  "device.browser": ["Browser", "ブラウザー"],
  "operator.auto_answer": ["The device answers by itself", "自動応答"],
  "operator.services": ["Services", "サービス"],
  "operator.services.hint": ["The first one's settings hold at login; it cannot be changed later.", "ログイン時は最初のサービスの設定を使います。最初のサービスは後から変更できません。"],
  "operator.first": ["first", "最初"],
  "operator.capacity": ["Capacity", "同時対応数"],
  "operator.points": ["Points", "ポイント"],
  "operator.chat_limit": ["Most chats at once", "チャットの最大数"],
  "operator.ticket_limit": ["Most assigned tickets at once", "割り当てチケットの最大数"],
  "operator.skills": ["Skills", "スキル"],
  "operator.add-skill": ["Add a skill", "スキルを追加"],
  "operator.proficiency": ["Proficiency (1-10)", "習熟度(1〜10)"],
  "operator.queues": ["Queues that they serve", "担当するキュー"],
  "operator.queues.hint": ["Lower levels are asked first; work of a lower preference is taken first.", "レベルの低い人から呼ばれ、優先順の小さい仕事から受けます。"],
  "operator.serves": ["Serves", "担当"],
  "operator.level": ["Level", "レベル"],
  "operator.preference": ["Preference", "優先順"],
  "operator.no-queues": ["Their services have no queues.", "担当サービスにキューがありません。"],
  "operator.telephone": ["Telephone password", "電話機のパスワード"],
  "operator.telephone.hint": ["The SIP telephone registers with the CTI id and this: 8 to 64 characters. It is not shown again.", "SIP電話機はCTI IDとこのパスワードで登録します。8〜64文字。再表示されません。"],
  "operator.telephone.set": ["Set a telephone password", "電話機のパスワードを設定"],
  "operator.telephone.done": ["The telephone's password is set", "電話機のパスワードを設定しました"],
  "operator.search": ["Name, CTI id or number", "名前・CTI ID・番号"],
  "operator.missing": ["missing", "未設定"],
});

/** Most operators that are listed at once; a search finds the others. */
const SHOWN = 200;

/** @type {import("../administration.js").Section} */
export const operatorsSection = {
  key: "operators",
  open(into, [number]) {
    if (number === undefined) return into.append(...list());
    const isNew = number === "new";
    const edited = h("div");
    into.append(h("p.back", null, h("a", { href: "#/administration/operators" }, "← ", t("operator.back"))), edited);
    edit(edited, {
      key: `operators/${number}`,
      title: (draft) => draft.name || t("operator.new"),
      read: ({ operators }) => (isNew ? fresh() : operators[number] ? draftOf(operators[number]) : null),
      body: (draft, again) => body(draft, again, isNew),
      words: (name) => t(`operator.${name}`),
      write: (draft) => ({ method: isNew ? "POST" : "PUT", path: isNew ? "/floor/operators" : `/floor/operators/${number}`, body: toSend(draft) }),
      saved: isNew ? ({ operator }) => { location.hash = `#/administration/operators/${operator}`; } : undefined,
    });
    if (!isNew && floor.value.operators[number]) {
      into.append(h("p", null, h("button", { type: "button", data: { action: "telephone" }, onclick: () => telephone(Number(number)) }, t("operator.telephone.set"))));
    }
  },
};

function list() {
  const all = floor.value.operators.map((/** @type {any} */ it, /** @type {number} */ n) => ({ ...it, n }));
  const found = h("div");
  const missing = () => h("span.tag.bad", null, t("operator.missing"));
  const show = (/** @type {string} */ q) => {
    const wanted = q.trim().toLowerCase();
    const fits = all.filter((/** @type {any} */ it) => [it.name, it.cti_id, it.cti_number].some((text) => text?.toLowerCase().includes(wanted)) || wanted === "");
    found.replaceChildren(
      table(t("administration.operators"),
        [t("name"), t("operator.cti_id"), t("operator.cti_number"), t("operator.phone"), t("operator.device"), t("operator.services"), t("operator.skills"), { text: t("administration.queues"), figure: true }],
        fits.slice(0, SHOWN).map((/** @type {any} */ it) => ({
          data: { operator: it.n },
          cells: [
            [h("a", { href: `#/administration/operators/${it.n}` }, it.name), isUnsaved(`operators/${it.n}`) && h("span.unsaved", null, ` ${t("editor.unsaved")}`)],
            it.cti_id ?? missing(), it.cti_number ?? missing(), t(it.phone ? "yes" : "no"), t(`device.${it.device}`),
            h("span.roomy", null, it.services.map((/** @type {number} */ n) => names.service(n)).join(", ")),
            h("span.roomy", null, it.skills.map((/** @type {any} */ skill) => `${floor.value.skills[skill.skill]} ${skill.proficiency}`).join(", ")), it.queues.length,
          ],
        })), { key: "operators" }),
      h("p.small", { role: "status" }, `${Math.min(fits.length, SHOWN)} / ${all.length}`));
  };
  show("");
  return [
    h("div.heading", null, h("h2", null, t("administration.operators")),
      h("a.button", { href: "#/administration/operators/new", data: { action: "add", key: "add" } }, t("operator.add"))),
    field(t("search"), h("input", { type: "search", placeholder: t("operator.search"),
      oninput: (/** @type {Event} */ event) => show(/** @type {HTMLInputElement} */ (event.target).value) })),
    found,
  ];
}

function fresh() {
  return draftOf({
    name: "", services: [0], phone: true, cti_id: null, cti_number: null, skills: [], queues: [], points: 100, chat_limit: 3, ticket_limit: 5,
    auto_answer: false, device: "browser",
  });
}

/** Queues by their number, each with whether it is served. @param {any} operator */
function draftOf(operator) {
  const queues = Object.fromEntries(floor.value.queues.map((/** @type {any} */ _, /** @type {number} */ n) => {
    const found = operator.queues.find((/** @type {any} */ it) => it.queue === n);
    return [n, { serves: Boolean(found), level: found?.level ?? 0, preference: found?.preference ?? 0 }];
  }));
  return { ...structuredClone(operator), queues };
}

/** @param {any} draft */
function toSend(draft) {
  const ours = (/** @type {string} */ n) => draft.services.includes(floor.value.queues[n]?.service);
  const queues = Object.entries(draft.queues).filter(([n, it]) => /** @type {any} */ (it).serves && ours(n))
    .map(([n, it]) => ({ queue: Number(n), level: /** @type {any} */ (it).level ?? 0, preference: /** @type {any} */ (it).preference ?? 0 }));
  return { ...draft, queues };
}

/** @param {any} draft @param {() => void} again @param {boolean} isNew @returns {import("../../element.js").Child[]} */
function body(draft, again, isNew) {
  const own = new Bound(draft, "");
  return [
    h("fieldset.card", null,
      h("div.grid", null,
        field(t("name"), own.text("name")),
        field(t("operator.cti_id"), own.text("cti_id", { optional: true }), t("operator.cti.hint")),
        field(t("operator.cti_number"), own.text("cti_number", { optional: true, type: "tel", maxlength: 32 })),
        field(t("operator.device"), own.choice("device", ["browser", "sip-phone"].map((it) => [it, t(`device.${it}`)])))),
      own.flag("phone", t("operator.phone"), t("operator.phone.hint")),
      own.flag("auto_answer", t("operator.auto_answer"))),
    services(draft, again, isNew),
    h("fieldset.card.grid", null, h("legend", null, t("operator.capacity")),
      field(t("operator.points"), own.whole("points", { max: 65_535 })),
      field(t("operator.chat_limit"), own.whole("chat_limit", { max: 255 })),
      field(t("operator.ticket_limit"), own.whole("ticket_limit", { max: 255 }))),
    entries({
      of: draft.skills, key: "skills", text: t("operator.skills"), add: t("operator.add-skill"), again,
      fresh: () => ({ skill: skillOptions()[0]?.[0] ?? 0, proficiency: 5 }), name: (it) => floor.value.skills[it.skill] ?? "",
      entry(it, at) {
        const one = new Bound(it, `skill-${at}`);
        return [field(t("queue.skill"), one.choice("skill", skillOptions())), field(t("operator.proficiency"), one.whole("proficiency", { min: 1, max: 10 }))];
      },
    }),
    served(draft),
  ];
}

/** @param {any} draft @param {() => void} again @param {boolean} isNew */
function services(draft, again, isNew) {
  return h("fieldset.card", null, h("legend", null, t("operator.services")), h("p.small", null, t("operator.services.hint")),
    floor.value.services.map((/** @type {any} */ service, /** @type {number} */ n) => {
      const first = draft.services[0] === n;
      return check(first ? `${service.name} (${t("operator.first")})` : service.name, {
        checked: draft.services.includes(n), disabled: first && !isNew, data: { key: `service-${n}`, service: n },
        onchange: (/** @type {Event} */ event) => {
          const { checked } = /** @type {HTMLInputElement} */ (event.target);
          draft.services = checked ? [...draft.services, n] : draft.services.filter((/** @type {number} */ it) => it !== n);
          again();
        },
      });
    }));
}

/** @param {any} draft */
function served(draft) {
  const ours = floor.value.queues.map((/** @type {any} */ it, /** @type {number} */ n) => ({ ...it, n }))
    .filter((/** @type {any} */ it) => draft.services.includes(it.service));
  const several = floor.value.services.length > 1;
  return h("fieldset.card", null, h("legend", null, t("operator.queues")), h("p.small", null, t("operator.queues.hint")),
    table(t("operator.queues"), [t("operator.serves"), t("queue.channel"), t("operator.level"), t("operator.preference")],
      ours.map((/** @type {any} */ it) => {
        draft.queues[it.n] ??= { serves: false, level: 0, preference: 0 };
        const one = new Bound(draft.queues[it.n], `queue-${it.n}`);
        const name = several ? `${it.name} (${names.service(it.service)})` : it.name;
        return {
          data: { queue: it.n },
          cells: [one.flag("serves", name), t(`channel.${it.channel}`),
            one.whole("level", { max: 255, "aria-label": `${t("operator.level")}: ${name}` }),
            one.whole("preference", { max: 255, "aria-label": `${t("operator.preference")}: ${name}` })],
        };
      }), { key: "serves", empty: t("operator.no-queues") }));
}

/** @param {number} operator */
function telephone(operator) {
  dialog({
    title: `${t("operator.telephone")}: ${names.operator(operator)}`,
    key: "telephone",
    content: [field(t("password"), h("input", { name: "password", type: "password", autocomplete: "new-password", required: true, minlength: 8, maxlength: 64 }), t("operator.telephone.hint"))],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      await floor.write("PUT", `/floor/operators/${operator}/telephone`, { password: values(form).password });
      tell(t("operator.telephone.done"));
    },
  });
}
