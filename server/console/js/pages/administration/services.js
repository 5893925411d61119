// Services: a list, and one service in six parts that are saved together.

import { get } from "../../api.js";
import { h, field } from "../../element.js";
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
  "service.back": ["All services", "サービス一覧"],
});

const NEW = "new";
const PARTS = ["general", "hours", "flow", "outgoing", "favourites", "settings"];

/** @type {import("../administration.js").Section} */
export const servicesSection = {
  key: "services",
  async open(into, [number, part = "general"]) {
    if (number === undefined) return into.append(...list());
    const [reasons, inbound] = await Promise.all([get("/floor/reasons"), get("/floor/inbound-numbers")]);
    const key = `services/${number}`;
    const at = number === NEW ? floor.value.services.length : Number(number);
    // A new service has the default settings until it is there.
    const parts = PARTS.filter((it) => number !== NEW || it !== "settings");
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
      body: (draft, again) => [body(shown, draft, again, reasons, flow)],
      changed: () => flow.edited(),
      words: (name) => t(`service.part.${name === "schedule" ? "hours" : PARTS.includes(name) ? name : "general"}`),
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
    flow: [{ step: "announcement", audio: 2, limit_ms: 10_000 }, { step: "end" }], outgoing: [], favourites: [],
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

/** @param {string} part @param {any} draft @param {() => void} again @param {any[]} reasons @param {FlowEditor} flow */
function body(part, draft, again, reasons, flow) {
  switch (part) {
    case "hours": return hours(draft, again);
    case "flow": return flow.body(draft, again);
    case "outgoing": return outgoing(draft.outgoing, again);
    case "favourites": return favourites(draft.favourites, again);
    case "settings": return settings(draft.settings, reasons, again);
    default: return general(draft);
  }
}

/** @param {any} draft */
function general(draft) {
  const own = new Bound(draft, "");
  return h("fieldset.card", null,
    field(t("name"), own.text("name")),
    h("div", { role: "group", "aria-label": t("service.flags") },
      own.flag("inbound", t("service.inbound")), own.flag("outbound", t("service.outbound")),
      h("p.small", null, t("service.flags.hint"))),
    zones(),
    field(t("service.zone"), own.text("zone", { list: "zones" })));
}
