// Statistics of queues and operators: tables of intervals, a plot, and files to take away.

import { get } from "../api.js";
import { h, field, replace, select, values } from "../element.js";
import { show } from "../dialog.js";
import { names, who } from "../session.js";
import { length, serverNow } from "../time.js";
import { addWords, t } from "../words.js";
import { check } from "./administration/bound.js";
import { definitions, head, ofQueue, seconds } from "./supervision/figures.js";
import { plot } from "./supervision/plot.js";
import { percent, table } from "./supervision/table.js";

addWords({
  "statistics.of": ["Of", "対象"],
  "statistics.queues": ["Queues", "キュー"],
  "statistics.operators": ["Operators", "オペレーター"],
  "statistics.from": ["First day", "開始日"],
  "statistics.to": ["Last day", "終了日"],
  "statistics.from.hint": ["Empty: today", "空欄: 今日"],
  "statistics.to.hint": ["Empty: the first day", "空欄: 開始日"],
  "statistics.zone": ["Time zone", "タイムゾーン"],
  "statistics.zone.hint": ["Empty: the first service's", "空欄: 最初のサービス"],
  "statistics.every": ["Interval", "区間"],
  "statistics.every.15": ["15 minutes", "15分"],
  "statistics.every.30": ["30 minutes", "30分"],
  "statistics.every.60": ["60 minutes", "60分"],
  "statistics.every.day": ["Day", "日"],
  "statistics.every.all": ["Whole period", "全期間"],
  "statistics.by": ["Calls count by their", "計上する時点"],
  "statistics.by.arrival": ["arrival", "着信"],
  "statistics.by.answer": ["answer", "応答"],
  "statistics.service": ["Service", "サービス"],
  "statistics.show": ["Show", "表示"],
  "statistics.csv": ["Download CSV", "CSVをダウンロード"],
  "statistics.xlsx": ["Download XLSX", "XLSXをダウンロード"],
  "statistics.zone-of": ["Days and hours of {}. A call counts by its {}.", "タイムゾーン: {}。計上時点: {}。"],
  "statistics.days-of": ["Days and hours of {}.", "タイムゾーン: {}。"],
  "statistics.start": ["Start", "開始"],
  "statistics.queue": ["Queue", "キュー"],
  "statistics.dials": ["dials", "発信"],
  "statistics.period": ["Whole period", "全期間"],
  "statistics.intervals": ["Intervals", "区間ごと"],
  "statistics.every-figure": ["Every figure", "すべての指標を表示"],
  "statistics.quiet": ["Rows in which nothing happened", "通話のなかった行も表示"],
  "statistics.definitions": ["What each figure is", "指標の定義"],
  "statistics.failed": ["The identity W0 + N = A + B + F + W1 fails in these rows:", "W0 + N = A + B + F + W1 が成り立たない行:"],
  "statistics.holds": ["W0 + N = A + B + F + W1 holds in every row.", "すべての行で W0 + N = A + B + F + W1 が成り立ちます。"],
  "statistics.plot": ["Plot of", "グラフ"],
  "statistics.operator": ["Operator", "オペレーター"],
  "statistics.nothing": ["Nothing was counted in this period.", "この期間の記録はありません。"],
});

const MAIN = ["offered", "answered", "answered_in_time", "abandoned", "abandoned_short", "flowed_out", "refused", "waiting_at_start", "waiting_at_end",
  "service_level", "asa_s", "abandonment", "aht_s"];
const MORE = ["abandoned_in_time", "service_level_short", "service_level_ignore", "service_level_negative", "service_level_positive", "service_level_handled",
  "abandonment_raw", "blocking", "p_wait", "abandon_wait_s", "wait_mean_s", "talk_s", "hold_s", "consult_s", "after_call_s", "ring_s", "transfer_rate", "hold_rate",
  "missed_ring_rate", "forced_end_rate", "dials", "dials_connected", "dial_connect_rate"];
const STATUSES = ["ready", "ringing", "dialing", "talking", "consulting", "holding", "after-call-work", "work", "break"];
const OF_OPERATORS = ["logged_in", "handle", "calls_in", "dials", "dials_connected", "rings", "missed_rings", "chats", "tickets_solved", "aht_s", "occupancy", "utilisation", "shrinkage"];
/** Most rows that are put on a screen; the file has all. */
const SHOWN = 2_000;

/** @typedef {{rule: string, level: number | null}} Target a queue's target */
/** @typedef {{of: string, from: string, to: string, zone: string, every: string, by: string, service: string}} Asked */

/** What was asked last, for as long as the console is open. @type {Asked & {who: string}} */
let asked = { who: "", of: "queues", from: "", to: "", zone: "", every: "60", by: "arrival", service: "" };
let every = false;
let quiet = false;

/** @type {import("../main.js").Page} */
export const statisticsPage = {
  key: "statistics",
  roles: ["supervisor", "planner", "administrator"],
  open(into) {
    if (asked.who !== who().login) asked = { who: who().login, of: "queues", from: "", to: "", zone: "", every: "60", by: "arrival", service: "" };
    const found = h("div", { data: { statistics: "" } });
    const choice = (/** @type {string} */ key, /** @type {string[]} */ options) =>
      select({ name: key }, options.map((it) => [it, t(`statistics.${key === "of" ? "" : `${key}.`}${it}`)]), asked[/** @type {keyof Asked} */ (key)]);
    const form = /** @type {HTMLFormElement} */ (h("form.card.asked", { data: { form: "statistics" } },
      field(t("statistics.of"), choice("of", ["queues", "operators"])),
      field(t("statistics.from"), h("input", { name: "from", type: "date", value: asked.from }), t("statistics.from.hint")),
      field(t("statistics.to"), h("input", { name: "to", type: "date", value: asked.to }), t("statistics.to.hint")),
      field(t("statistics.every"), choice("every", ["15", "30", "60", "day", "all"])),
      field(t("statistics.by"), choice("by", ["arrival", "answer"])),
      field(t("statistics.service"), select({ name: "service" }, [["", t("all")], ...names.services], asked.service)),
      field(t("statistics.zone"), h("input", { name: "zone", list: "zones-of-statistics", value: asked.zone, autocomplete: "off", maxlength: 60 }), t("statistics.zone.hint")),
      h("datalist", { id: "zones-of-statistics" }, Intl.supportedValuesOf("timeZone").map((zone) => h("option", { value: zone }))),
      h("button.primary", { type: "submit", data: { action: "show" } }, t("statistics.show"))));
    const ask = () => {
      asked = { .../** @type {Asked} */ (values(form)), who: asked.who };
      return show(found, load);
    };
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask();
    });
    replace(into, h("h1", null, t("page.statistics")), form, found);
    ask();
  },
};

/** @param {string} [format] */
function query(format) {
  const { of, who: _, ...rest } = asked;
  return { ...rest, by: of === "queues" ? rest.by : undefined, format };
}

async function load() {
  const path = `/statistics/${asked.of}`;
  const [report, whole, floor] = await Promise.all([
    get(path, query()), asked.every === "all" ? null : get(path, { ...query(), every: "all" }), get("/floor"),
  ]);
  /** @type {Target[]} */
  const targets = floor.queues.map((/** @type {any} */ it) => it.target);
  const link = (/** @type {string} */ format) => {
    const file = new URLSearchParams();
    for (const [key, value] of Object.entries(query(format))) if (value) file.set(key, value);
    return h("a.button", { href: `/api/v1${path}?${file}`, download: `${asked.of}.${format}`, data: { action: format } }, t(`statistics.${format}`));
  };
  const content = asked.of === "queues" ? ofQueues(report, whole ?? report, targets) : ofOperators(report, whole ?? report);
  return [h("p.files", null, link("csv"), " ", link("xlsx")), ...content];
}

/** @param {any} report @param {any} whole @param {Target[]} targets */
function ofQueues(report, whole, targets) {
  const tables = h("div");
  const keys = () => (every ? [...MAIN, ...MORE] : MAIN);
  const rows = (/** @type {any} */ of) => of.rows.filter((/** @type {any} */ row) => row.queue !== null || row.figures.dials > 0 || row.figures.refused > 0);
  const name = (/** @type {any} */ row) => (row.queue === null ? `${row.name} (${t("statistics.dials")})` : row.name);
  const columns = () => [...keys().map(head), t("figure.identity")];
  const cells = (/** @type {any} */ row) => [...keys().map((key) => ofQueue(key, row, targets[row.queue]?.rule)), row.identity[0] === row.identity[1] ? t("figure.holds") : h("strong.wrong", null, t("figure.fails"))];
  const render = () => replace(tables,
    h("h2", null, t("statistics.period")),
    table(t("statistics.period"), [t("statistics.queue"), ...columns()],
      rows(whole).map((/** @type {any} */ row) => ({ data: { queue: row.queue ?? "" }, cells: [name(row), ...cells(row)] })), { key: "period" }),
    asked.every !== "all" && [h("h2", null, t("statistics.intervals")),
      table(t("statistics.intervals"), [t("statistics.start"), t("statistics.queue"), ...columns()],
        rows(report).filter((/** @type {any} */ row) => quiet || (Object.keys(row.counts).length > 0 && row.from_us <= serverNow())).slice(0, SHOWN).map((/** @type {any} */ row) => ({ data: { start: row.start, queue: row.queue ?? "" }, cells: [row.start, name(row), ...cells(row)] })),
        { key: "intervals", empty: t("statistics.nothing") })],
    h("details.card", null, h("summary", null, t("statistics.definitions")), definitions(keys())));
  render();
  const box = (/** @type {string} */ key, /** @type {boolean} */ checked, /** @type {(checked: boolean) => void} */ set) =>
    check(t(`statistics.${key}`), { checked, data: { key }, onchange: (/** @type {Event} */ event) => {
      set(/** @type {HTMLInputElement} */ (event.target).checked);
      render();
    } });
  const failed = report.failed_identities;
  return [
    h("p.small", null, t("statistics.zone-of").replace("{}", report.zone).replace("{}", t(`statistics.by.${report.by}`))),
    failed.length > 0 ? h("div.wrong", { role: "alert" }, h("p", null, t("statistics.failed")), h("ul", null, failed.map((/** @type {string} */ it) => h("li", null, it))))
      : h("p.small", { data: { identity: "holds" } }, t("statistics.holds")),
    asked.every !== "all" && plots(report, targets),
    box("every-figure", every, (checked) => { every = checked; }),
    asked.every !== "all" && box("quiet", quiet, (checked) => { quiet = checked; }),
    tables,
  ];
}

/** @param {any} report @param {Target[]} targets */
function plots(report, targets) {
  const rows = report.rows.filter((/** @type {any} */ row) => row.queue !== null);
  if (rows.length === 0) return null;
  /** @type {Map<number, {name: string, offered: number}>} */
  const queues = new Map();
  for (const { queue, name, figures } of rows) queues.set(queue, { name, offered: (queues.get(queue)?.offered ?? 0) + figures.offered });
  const [busiest] = [...queues].toSorted(([, a], [, b]) => b.offered - a.offered)[0];
  const picture = h("div");
  const draw = (/** @type {number} */ queue) => replace(picture, plot(queues.get(queue)?.name ?? "", rows.filter((/** @type {any} */ row) => row.queue === queue).map(pointOf),
    targets[queue]?.level ?? null));
  draw(busiest);
  return h("section.card", { data: { plot: "" } },
    field(t("statistics.plot"), select({ data: { key: "plot" }, onchange: (/** @type {Event} */ event) => draw(Number(/** @type {HTMLSelectElement} */ (event.target).value)) },
      [...queues].map(([queue, { name }]) => [queue, name]), busiest)),
    picture);
}

/** @param {any} row @returns {import("./supervision/plot.js").Point} */
function pointOf({ start, figures }) {
  return { label: start, offered: figures.offered, answered: figures.answered, abandoned: figures.abandoned, level: figures.service_level };
}

/** @param {any} report @param {any} whole */
function ofOperators(report, whole) {
  const figure = (/** @type {string} */ key, /** @type {any} */ row) => {
    switch (key) {
      case "logged_in": return length(row.logged_in_us);
      case "handle": return length(row.handle_us);
      case "aht_s": return `${seconds(row.aht_s)}${row.aht_s === null ? "" : ` / ${row.calls_in + row.dials_connected}`}`;
      // Of times, not of calls: the time that the share is of stands beside it.
      case "occupancy": return ofTime(row.figures.occupancy, row.handle_us + us(row, "ringing") + us(row, "dialing") + us(row, "ready"));
      case "utilisation": case "shrinkage": return ofTime(row.figures[key], row.logged_in_us);
      default: return String(row[key]);
    }
  };
  const columns = [...OF_OPERATORS.map(head), ...STATUSES.map((status) => ({ text: t(`status.${status}`), figure: true }))];
  const cells = (/** @type {any} */ row) => [...OF_OPERATORS.map((key) => figure(key, row)), ...STATUSES.map((status) => length(us(row, status)))];
  return [
    h("p.small", null, t("statistics.days-of").replace("{}", report.zone)),
    h("h2", null, t("statistics.period")),
    table(t("statistics.period"), [t("statistics.operator"), ...columns],
      whole.rows.map((/** @type {any} */ row) => ({ data: { operator: row.operator }, cells: [row.name, ...cells(row)] })), { key: "period", empty: t("statistics.nothing") }),
    asked.every !== "all" && whole.rows.length > 0 && [h("h2", null, t("statistics.intervals")),
      table(t("statistics.intervals"), [t("statistics.start"), t("statistics.operator"), ...columns],
        report.rows.slice(0, SHOWN).map((/** @type {any} */ row) => ({ data: { start: row.start, operator: row.operator }, cells: [row.start, row.name, ...cells(row)] })), { key: "intervals" })],
    h("details.card", null, h("summary", null, t("statistics.definitions")), definitions(OF_OPERATORS)),
  ].flat();
}

/** @param {any} row @param {string} status */
function us(row, status) {
  return row.in_status_us[status] ?? 0;
}

/** @param {number | undefined} share @param {number} of microseconds */
function ofTime(share, of) {
  return share === undefined ? "–" : `${percent(share)} / ${length(of)}`;
}
