// Services: a list, and one service in six parts that are saved together.

import { get } from "../../api.js";
import { h, field } from "../../element.js";
import { who } from "../../session.js";
import { addWords, t } from "../../words.js";
import { table } from "../supervision/table.js";
import { Bound } from "./bound.js";
import { zones } from "./choices.js";
import { edit, isUnsaved } from "./editor.js";
import { floor } from "./floor.js";
import { FlowEditor, flowOf, flowToSend } from "./flow.js";
import { hours, hoursAreRight, scheduleOf, scheduleToSend } from "./hours.js";
import { favourites, outgoing } from "./numbers.js";
import { settings } from "./settings.js";

addWords({
  "administration.services": ["Services", "サービス"],
  "service.one": ["Service", "サービス"],
  "service.add": ["Add a service", "サービスを追加"],
  "service.new": ["New service", "新しいサービス"],
  "service.inbound": ["Inbound contract (IB)", "受信契約(IB)"],
  "service.outbound": ["Outbound contract (OB)", "発信契約(OB)"],
  "service.flags": ["Contract flags", "契約フラグ"],
  "service.flags.hint": ["Turned off in mid-call: running calls finish, new ones are refused.", "通話中に無効にすると、進行中の通話は継続し、新しい通話は拒否されます。"],
  "service.zone": ["Time zone of reports", "レポートのタイムゾーン"],
  "service.hours": ["Hours", "営業時間"],
  "service.always": ["Day and night", "24時間"],
  "service.steps": ["Steps", "ステップ数"],
  "service.parts": ["Parts of the service", "サービスの設定項目"],
  "service.part.general": ["General", "基本"],
  "service.part.hours": ["Hours", "営業時間"],
  "service.part.flow": ["Call flow", "シナリオ"],
  "service.part.outgoing": ["Outgoing numbers", "発信番号"],
  "service.part.favourites": ["Favourites", "よく使う番号"],
  "service.part.settings": ["Settings", "設定"],
  "service.part.customers": ["Customers", "顧客向け"],
  "service.part.escalation": ["Escalation", "エスカレーション"],
  "service.kind": ["What it takes", "種類"],
  "service.kind.desk": ["What customers bring", "顧客対応"],
  "service.kind.issues": ["Escalated tickets alone", "エスカレーション専用"],
  "service.kind.fixed": ["It stays so once the service is made.", "作成後は変更できません。"],
  "service.shows": ["Its operators are shown, beside the issue", "チケット以外に見せる情報"],
  "service.shows.nothing": ["nothing of the customer", "なし"],
  "service.shows.customer": ["the customer's record", "顧客情報"],
  "service.shows.case": ["the record and the escalated ticket", "顧客情報と元のチケット"],
  "service.escalation.hint": ["What a ticket of this service becomes.", "このサービスのチケットの状態をどうするか。"],
  "service.while_open": ["While an issue of it is open", "エスカレーションの対応中"],
  "service.on_solved": ["When its last open issue is solved", "最後のエスカレーションが解決したとき"],
  "service.on_refused": ["When its last open issue is refused", "最後のエスカレーションが却下されたとき"],
  "then.stays": ["stays as it is", "変更しない"],
  "then.open": ["Open", "対応中"],
  "then.pending": ["Pending", "保留"],
  "then.solved": ["Solved", "解決"],
  "service.help-centre": ["Help centre", "ヘルプセンター"],
  "service.help-centre.hint": ["Everybody can see it, without signing in. Off unless switched on.", "サインインなしで誰でも閲覧できます。初期設定は非公開です。"],
  "service.help-centre.articles": ["Notices and FAQ are shown", "お知らせとよくある質問を公開する"],
  "service.help-centre.inquiries": ["The inquiry form is open", "お問い合わせフォームを公開する"],
  "service.help-centre.address": ["Its address", "アドレス"],
  "service.embed": ["For your own site", "自社サイトへの埋め込み"],
  "service.embed.chat": ["Chat", "チャット"],
  "service.embed.inquiry": ["Inquiry form", "お問い合わせフォーム"],
  "service.embed.help": ["Help centre", "ヘルプセンター"],
  "service.caps": ["Most dials of the service", "サービスの発信数の上限"],
  "service.per_hour": ["In an hour", "1時間あたり"],
  "service.per_day": ["In a day", "1日あたり"],
  "service.back": ["All services", "サービス一覧"],
});

const NEW = "new";
const PARTS = ["general", "hours", "flow", "outgoing", "favourites", "settings", "customers", "escalation"];
/** Fields that another part than the first has. @type {Record<string, string>} */
const PART_OF = { schedule: "hours", help_centre: "customers", dial_caps: "outgoing" };

/** @type {import("../administration.js").Section} */
export const servicesSection = {
  key: "services",
  async open(into, [number, part = "general"]) {
    if (number === undefined) return into.append(...list());
    const [reasons, inbound] = await Promise.all([get("/floor/reasons"), get("/floor/inbound-numbers")]);
    const key = `services/${number}`;
    const at = number === NEW ? floor.value.services.length : Number(number);
    // A new service has the default settings until it is there.
    const parts = PARTS.filter((it) => number !== NEW || !["settings", "customers", "escalation"].includes(it));
    const shown = parts.includes(part) ? part : "general";
    const links = parts.map((it) => h("a", {
      href: `#/administration/${key}/${it}`, "aria-current": it === shown ? "page" : null, data: { part: it },
    }, t(`service.part.${it}`)));
    const edited = h("div");
    into.append(
      h("p.back", null, h("a", { href: "#/administration/services" }, "← ", t("service.back"))),
      h("nav.parts", { "aria-label": t("service.parts") }, links), edited);
    const entering = inbound.filter((/** @type {any} */ it) => it.service === at);
    const flow = new FlowEditor(at, entering);
    edit(edited, {
      key,
      title: (draft) => draft.name || t("service.new"),
      read: ({ services }) => (number === NEW ? draftOf(fresh()) : services[at] ? draftOf(services[at]) : null),
      body: (draft, again) => [body(shown, draft, again, reasons, flow, at, number === NEW)],
      changed: () => flow.edited(),
      words: (name) => t(`service.part.${PART_OF[name] ?? (PARTS.includes(name) ? name : "general")}`),
      right: (draft) => hoursAreRight(draft.schedule) && flow.isRight(draft),
      write: (draft) => ({ method: number === NEW ? "POST" : "PUT", path: number === NEW ? "/floor/services" : `/floor/services/${at}`, body: toSend(draft) }),
      refused: (problem) => flow.refused(problem),
      saved: number === NEW ? ({ service }) => { location.hash = `#/administration/services/${service}`; } : undefined,
    });
  },
};

function list() {
  const { services, queues } = floor.value;
  const yes = (/** @type {boolean} */ it) => t(it ? "yes" : "no");
  return [
    h("div.heading", null, h("h2", null, t("administration.services")),
      h("a.button", { href: `#/administration/services/${NEW}`, data: { action: "add", key: "add" } }, t("service.add"))),
    table(t("administration.services"),
      [t("name"), t("service.inbound"), t("service.outbound"), t("service.hours"), { text: t("service.steps"), figure: true }, { text: t("administration.queues"), figure: true }],
      services.map((/** @type {any} */ it, /** @type {number} */ n) => ({
        data: { service: n },
        cells: [
          [h("a", { href: `#/administration/services/${n}` }, it.name), isUnsaved(`services/${n}`) && h("span.unsaved", null, ` ${t("editor.unsaved")}`)],
          yes(it.inbound), yes(it.outbound), it.schedule ? it.schedule.zone : t("service.always"),
          it.flow.length, queues.filter((/** @type {any} */ queue) => queue.service === n).length,
        ],
      })), { key: "services" }),
  ];
}

function fresh() {
  return {
    name: "", inbound: true, outbound: false, schedule: null, zone: floor.value.services[0]?.zone ?? "Asia/Tokyo",
    flow: [{ step: "announcement", audio: 2, limit_ms: 10_000 }, { step: "end" }], outgoing: [], favourites: [], kind: "desk",
  };
}

/** What is edited of a service. @param {any} service */
function draftOf(service) {
  return { ...structuredClone(service), flow: flowOf(service.flow), schedule: scheduleOf(service.schedule) };
}

/** @param {any} draft */
function toSend(draft) {
  return { ...draft, flow: flowToSend(draft.flow), schedule: scheduleToSend(draft.schedule) };
}

/** @param {string} part @param {any} draft @param {() => void} again @param {any[]} reasons @param {FlowEditor} flow @param {number} at @param {boolean} isNew */
function body(part, draft, again, reasons, flow, at, isNew) {
  switch (part) {
    case "hours": return hours(draft, again);
    case "flow": return flow.body(draft, again);
    case "outgoing": return h("div", null, outgoing(draft.outgoing, again), draft.dial_caps && caps(draft.dial_caps));
    case "favourites": return favourites(draft.favourites, again);
    case "settings": return settings(draft.settings, reasons, again);
    case "customers": return customers(draft, at);
    case "escalation": return escalation(draft.escalation);
    default: return general(draft, again, isNew);
  }
}

/** @param {any} of */
function caps(of) {
  const own = new Bound(of, "dial_caps");
  const cap = (/** @type {string} */ key) => field(t(`service.${key}`), own.whole(key, { optional: true }), t("settings.none"));
  return h("fieldset.card.grid", null, h("legend", null, t("service.caps")), cap("per_hour"), cap("per_day"));
}

/** @param {any} of */
function escalation(of) {
  const own = new Bound(of, "escalation");
  const then = /** @type {[string, string][]} */ (["stays", "open", "pending", "solved"].map((it) => [it, t(`then.${it}`)]));
  return h("fieldset.card.grid", null, h("legend", null, t("service.part.escalation")), h("p.small", null, t("service.escalation.hint")),
    ["while_open", "on_solved", "on_refused"].map((key) => field(t(`service.${key}`), own.choice(key, then))));
}

/** What customers see of it. @param {any} draft @param {number} at */
function customers(draft, at) {
  const own = new Bound(draft.help_centre, "help_centre");
  const { organisation } = who();
  const query = `${organisation === "main" ? "" : `organisation=${organisation}&`}service=${at}`;
  const address = `${location.origin}/help?${query}`;
  const script = (/** @type {string} */ page) => `<script src="${location.origin}/console/customer/embed.js"${organisation === "main" ? "" : ` data-organisation="${organisation}"`} data-service="${at}"${page === "chat" ? "" : ` data-page="${page}"`} defer></script>`;
  const shown = (/** @type {string} */ page) => field(t(`service.embed.${page}`), h("textarea", { rows: 3, readonly: true, value: script(page), data: { embed: page } }));
  return h("div", null,
    h("fieldset.card", null, h("legend", null, t("service.help-centre")), h("p.small", null, t("service.help-centre.hint")),
      own.flag("articles", t("service.help-centre.articles")), own.flag("inquiries", t("service.help-centre.inquiries")),
      h("p", null, `${t("service.help-centre.address")}: `, h("a", { href: address, target: "_blank", rel: "noopener" }, address))),
    h("fieldset.card", null, h("legend", null, t("service.embed")), ["chat", "inquiry", "help"].map(shown)));
}

/** What it takes: chosen when it is made. @param {any} draft @param {() => void} again @param {boolean} isNew */
function kind(draft, again, isNew) {
  const issues = typeof draft.kind === "object" ? new Bound(draft.kind.issues, "kind") : null;
  const of = new Bound({ kind: issues ? "issues" : "desk" }, "", () => {
    draft.kind = of.of.kind === "issues" ? { issues: { shows: "nothing" } } : "desk";
    if (of.of.kind === "issues") Object.assign(draft, { inbound: false, outbound: false });
    again();
  });
  const words = (/** @type {string} */ of, /** @type {string[]} */ keys) => keys.map((key) => /** @type {[string, string]} */ ([key, t(`service.${of}.${key}`)]));
  return [field(t("service.kind"), of.choice("kind", words("kind", ["desk", "issues"]), { disabled: !isNew }), t("service.kind.fixed")),
    issues && field(t("service.shows"), issues.choice("shows", words("shows", ["nothing", "customer", "case"])))];
}

/** @param {any} draft @param {() => void} again @param {boolean} isNew */
function general(draft, again, isNew) {
  const own = new Bound(draft, "");
  return h("fieldset.card", null,
    field(t("name"), own.text("name")),
    kind(draft, again, isNew),
    draft.kind === "desk" && h("div", { role: "group", "aria-label": t("service.flags") },
      own.flag("inbound", t("service.inbound")), own.flag("outbound", t("service.outbound")),
      h("p.small", null, t("service.flags.hint"))),
    zones(),
    field(t("service.zone"), own.text("zone", { list: "zones" })));
}
