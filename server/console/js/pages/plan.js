// Plan: a scenario or today's journal, simulated with other numbers of operators, beside today's live figures.

import { get, post, put, remove } from "../api.js";
import { h, field, replace, select, values } from "../element.js";
import { attempt, confirmed, show, tell, wordsOf } from "../dialog.js";
import { names } from "../session.js";
import { moment } from "../time.js";
import { addWords, language, t } from "../words.js";
import { lines } from "./supervision/lines.js";
import { percent, table } from "./supervision/table.js";

addWords({
  "page.plan": ["Plan", "計画"],
  "plan.of": ["What is simulated", "シミュレーションの対象"],
  "plan.today": ["Today's journal", "本日の実績"],
  "plan.day": ["Another day's journal", "過去の日の実績"],
  "plan.date": ["Day", "日付"],
  "plan.own": ["My scenarios", "保存したシナリオ"],
  "plan.library": ["Library", "サンプル"],
  "plan.new": ["From a file or typed", "ファイルまたは入力"],
  "plan.edit": ["Scenario", "シナリオ"],
  "plan.file": ["Take a scenario (.toml) and the CSV files that it names", "シナリオ(.toml)と参照するCSVファイルを選択"],
  "plan.name": ["Name to keep it by", "保存名"],
  "plan.text": ["Text of the scenario", "シナリオの内容"],
  "plan.check": ["Check", "確認"],
  "plan.keep": ["Keep", "保存"],
  "plan.delete": ["Delete", "削除"],
  "plan.delete.sure": ["Delete the scenario {}?", "シナリオ「{}」を削除しますか?"],
  "plan.right": ["The scenario is right. Days: {}, replications: {}, queues: {}.", "シナリオに誤りはありません。日数: {}、反復: {}、キュー: {}"],
  "plan.keep-first": ["The text was changed: keep it first, so that what is run can be found again.", "内容が変更されています。実行する前に保存してください。"],
  "plan.wrong": ["Mistakes: {}", "誤り: {}件"],
  "plan.line": ["Line {}", "{}行目"],
  "plan.whole-file": ["Whole file", "ファイル全体"],
  "plan.run": ["Run", "実行"],
  "plan.changes": ["With other numbers of operators", "オペレーター数の変更"],
  "plan.changes.hint": ["Without a change the plan is simulated as it is.", "変更がなければ現状のまま実行します。"],
  "plan.queue": ["Queue", "キュー"],
  "plan.operators": ["Operators", "人数"],
  "plan.operators.hint": ["+2 or -1", "+2、-1 など"],
  "plan.from": ["From", "開始"],
  "plan.to": ["To", "終了"],
  "plan.time.hint": ["Empty: all day", "空欄: 終日"],
  "plan.add": ["Another change", "変更を追加"],
  "plan.replications": ["Replications", "反復回数"],
  "plan.replications.hint": ["Empty: as planned", "空欄: 既定値"],
  "plan.seed": ["Seed", "乱数の種"],
  "plan.runs": ["Runs", "実行一覧"],
  "plan.runs.none": ["No run yet.", "実行はまだありません。"],
  "plan.by": ["By", "実行者"],
  "plan.state": ["State", "状態"],
  "plan.state.waiting": ["Waits behind {}", "待機中(前に{}件)"],
  "plan.state.reading": ["Reads the journal", "実績を読込中"],
  "plan.state.running": ["Runs", "実行中"],
  "plan.state.done": ["Done", "完了"],
  "plan.state.cancelled": ["Cancelled", "中止"],
  "plan.state.failed": ["Failed", "失敗"],
  "plan.state.forgotten": ["Forgotten", "破棄済み"],
  "plan.progress": ["{} of {} replications", "{} / {}回"],
  "plan.left": ["about {} s left", "残り約{}秒"],
  "plan.stop": ["Cancel the run", "実行を中止"],
  "plan.again": ["Run again", "再実行"],
  "plan.show": ["Show", "表示"],
  "plan.forget": ["Forget", "破棄"],
  "plan.report": ["Report as a page", "レポートを開く"],
  "plan.results": ["Results as JSON", "結果(JSON)"],
  "plan.answer": ["Answer", "結果"],
  "plan.figures": ["Figures", "指標"],
  "plan.figure": ["Figure", "指標"],
  "plan.actual": ["Happened", "実績"],
  "plan.plan": ["Plan", "計画"],
  "plan.changed": ["Changed", "変更後"],
  "plan.difference": ["Difference, 95 % interval", "差(95 %信頼区間)"],
  "plan.live": ["Today so far, live", "本日の実績(現在)"],
  "plan.live.none": ["Nothing was counted today.", "本日の記録はまだありません。"],
  "plan.whole": ["All queues", "全キュー"],
  "plan.part": ["Of", "対象"],
  "plan.plot.level": ["Service level", "サービスレベル"],
  "plan.plot.wait": ["Mean wait, s", "平均待ち時間(秒)"],
  "plan.plot.staff": ["Operators", "オペレーター数"],
  "plan.plot.start": ["Start", "開始"],
  "plan.numbers": ["The plots' numbers", "グラフの数値"],
  "plan.ja": ["", "{}: {}が{}から{}に変わります(差 {}、95 %信頼区間 {}〜{})。"],
  "plan.ja.unsure": ["", "{}: {}は{}と{}で、差があるとは言えません(95 %信頼区間 {}〜{})。"],
  "plan.ja.alone": ["", "{}は{}です({}回の平均)。"],
  "plan.ja.within": ["", "{}秒以内応答率"],
  "plan.ja.more": ["", "「{}」{}{}名{}"],
  "plan.f.service_level": ["service level", "サービスレベル"],
  "plan.f.abandonment": ["abandonment", "放棄率"],
  "plan.f.abandonment_raw": ["abandonment", "放棄率"],
  "plan.f.asa_s": ["mean speed of answer, s", "平均応答時間(秒)"],
  "plan.f.wait_mean_s": ["mean wait, s", "平均待ち時間(秒)"],
  "plan.f.wait_p90_s": ["wait, 90th percentile, s", "待ち時間90 %点(秒)"],
  "plan.f.p_met": ["days on which the target is met", "目標達成日の割合"],
  "plan.f.offered": ["offered", "着信"],
  "plan.f.answered": ["answered", "応答"],
  "plan.f.aht_s": ["mean handle time, s", "平均処理時間(秒)"],
  "plan.f.operators_paid": ["operators paid", "有給オペレーター数"],
  "plan.f.occupancy": ["occupancy", "稼働率"],
  "plan.f.utilisation": ["utilisation", "利用率"],
});

/** @typedef {{queue: string, operators: number, from: string | null, to: string | null}} Change */
/** @typedef {{value: number, low: number | null, high: number | null}} Guess */
/** @typedef {{figure: string, title: string, unit: string, better: string, actual: number | null, plan: Guess | null, changed: Guess | null, difference: Guess | null}} Figure */

/** What is chosen and typed, and the run that is shown, for as long as the console is open.
 * @type {{of: string, name: string, text: string, kept: string, files: Record<string, string>, shown: number | null}} */
const chosen = { of: "today", name: "", text: "", kept: "", files: {}, shown: null };
/** How often a run under way is asked for, in milliseconds. */
const EVERY_MS = 1_000;

/** @type {import("../main.js").Page} */
export const planPage = {
  key: "plan",
  roles: ["supervisor", "planner", "administrator"],
  open(into) {
    const parts = { choose: h("div"), runs: h("div"), answer: h("div", { data: { answer: "" } }) };
    replace(into, h("h1", null, t("page.plan")), parts.choose, parts.answer, parts.runs);
    let gone = false;
    /** @type {number | undefined} */
    let timer;
    const follow = async () => {
      clearTimeout(timer);
      if (gone) return;
      let under = false;
      await show(parts.runs, async () => {
        const runs = await get("/planning/runs");
        under = runs.some((/** @type {any} */ run) => ["waiting", "reading", "running"].includes(run.state));
        if (!gone) await answered(runs);
        return listed(runs, follow);
      });
      if (under && !gone) timer = setTimeout(follow, EVERY_MS);
    };
    /** The last run that was begun here is shown when it is done. @param {any[]} runs */
    const answered = async (runs) => {
      const wanted = runs.find((run) => run.run === chosen.shown);
      if (wanted?.state === "done" && parts.answer.dataset.run !== String(wanted.run)) {
        parts.answer.dataset.run = String(wanted.run);
        await show(parts.answer, () => answerOf(wanted));
        parts.answer.scrollIntoView({ block: "start" });
      } else if (!wanted || wanted.state !== "done") {
        delete parts.answer.dataset.run;
        replace(parts.answer);
      }
    };
    show(parts.choose, () => choice(follow));
    follow();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  },
};

/** The choice of what is simulated, its text, and how it is run. @param {() => Promise<void>} begun */
async function choice(begun) {
  const [library, own] = await Promise.all([get("/planning/library"), get("/planning/scenarios")]);
  const below = h("div");
  const group = (/** @type {string} */ label, /** @type {[string, string][]} */ options) =>
    h("optgroup", { label }, options.map(([value, text]) => h("option", { value, selected: value === chosen.of }, text)));
  const what = /** @type {HTMLSelectElement} */ (h("select", { name: "of", data: { key: "plan-of" } },
    h("option", { value: "today", selected: chosen.of === "today" }, t("plan.today")),
    h("option", { value: "day", selected: chosen.of === "day" }, t("plan.day")),
    h("option", { value: "new", selected: chosen.of === "new" }, t("plan.new")),
    own.length > 0 && group(t("plan.own"), own.map((/** @type {any} */ it) => [`own/${it.scenario}`, it.name])),
    group(t("plan.library"), library.map((/** @type {any} */ it) => [`library/${it.name}`, `${it.name}: ${it.summary}`]))));
  if (what.value !== chosen.of) chosen.of = what.value;
  const again = () => show(/** @type {Element} */ (what.closest("[data-plan]")?.parentElement), () => choice(begun));
  const turn = () => show(below, async () => {
    chosen.of = what.value;
    const [kind, key] = chosen.of.split("/");
    if (kind === "today" || kind === "day") return runForm([...names.queues.values()].filter((it) => it.channel === "phone").map((it) => it.name), begun);
    if (kind !== "new") {
      const found = await get(kind === "own" ? `/planning/scenarios/${key}` : `/planning/library/${encodeURIComponent(key)}`);
      Object.assign(chosen, { name: found.name, text: found.text, kept: found.text, files: found.files });
    }
    return editor(own, again, begun);
  });
  what.addEventListener("change", turn);
  await turn();
  return h("div", { data: { plan: "" } }, h("section.card", null, field(t("plan.of"), what)), below);
}

/** @param {any[]} own @param {() => void} again @param {() => Promise<void>} begun */
async function editor(own, again, begun) {
  const area = /** @type {HTMLTextAreaElement} */ (h("textarea.code", { name: "text", rows: 18, spellcheck: "false", wrap: "off", autocapitalize: "off", data: { key: "plan-text" } }));
  area.value = chosen.text;
  const found = h("div", { "aria-live": "polite" });
  const running = h("div");
  const name = /** @type {HTMLInputElement} */ (h("input", { name: "name", maxlength: 60, required: true, value: chosen.name }));
  const file = /** @type {HTMLInputElement} */ (h("input", { type: "file", multiple: true, accept: ".toml,.csv", data: { key: "plan-file" } }));
  const body = () => ({ name: name.value.trim() || "scenario", text: area.value, files: chosen.files });
  area.addEventListener("input", () => { chosen.text = area.value; });
  name.addEventListener("input", () => { chosen.name = name.value; });
  const check = async () => {
    const checked = await post("/planning/check", body());
    if (checked.right) {
      replace(found, h("p.sum.right", null, fill("plan.right", checked.about.days, checked.about.replications, checked.about.queues.join(", "))));
    } else {
      replace(found, h("p.wrong", null, fill("plan.wrong", checked.mistakes.length)),
        h("ul.mistakes", { data: { mistakes: "" } }, checked.mistakes.map((/** @type {any} */ it) => h("li", null, mistake(it, area)))));
    }
    area.setAttribute("aria-invalid", String(!checked.right));
    return checked;
  };
  file.addEventListener("change", () => attempt(async () => {
    for (const one of file.files ?? []) {
      if (one.size > 512 * 1024) throw new Error(`${one.name}: ${one.size} > 524288`);
      const text = await one.text();
      if (one.name.endsWith(".csv")) chosen.files[one.name] = text;
      else {
        Object.assign(chosen, { text, name: one.name.replace(/\.toml$/, "") });
        area.value = text;
        name.value = chosen.name;
      }
    }
    await check();
  }));
  const [kind, key] = chosen.of.split("/");
  const keep = () => attempt(async () => {
    if (!(await check()).right) return;
    const same = own.find((it) => it.name === name.value.trim());
    const kept = same ? await put(`/planning/scenarios/${same.scenario}`, body()) : await post("/planning/scenarios", body());
    chosen.of = `own/${kept.scenario}`;
    tell(t("saved"));
    again();
  });
  const erase = () => attempt(async () => {
    if (!await confirmed(t("plan.delete"), fill("plan.delete.sure", chosen.name), t("plan.delete"))) return;
    await remove(`/planning/scenarios/${key}`);
    chosen.of = "today";
    again();
  });
  const button = (/** @type {string} */ action, /** @type {() => unknown} */ onclick) => h("button", { type: "button", data: { action }, onclick }, t(`plan.${action}`));
  if (kind !== "new") await show(running, async () => runForm((await check()).about?.queues ?? [], begun));
  return [
    h("section.card", { data: { editor: "" } }, h("h2", null, t("plan.edit")),
      field(t("plan.file"), file), field(t("plan.text"), area), found,
      h("div.inline", null, field(t("plan.name"), name), button("check", () => attempt(check)), button("keep", keep), kind === "own" && button("delete", erase))),
    running,
  ];
}

/** A mistake that leads to its line. @param {any} found @param {HTMLTextAreaElement} area */
function mistake({ file, line, column, message, help }, area) {
  const own = file.endsWith(".toml");
  const go = () => {
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, it) => sum + it.length + 1, 0);
    area.focus();
    area.setSelectionRange(start + Math.max(0, column - 1), start + (lines[line - 1] ?? "").length);
    area.scrollTop = Math.max(0, (line - 5) * (area.scrollHeight / Math.max(1, lines.length)));
  };
  const place = line === 0 ? t("plan.whole-file") : `${own ? "" : `${file} `}${fill("plan.line", line)}:${column}`;
  return [line > 0 && own ? h("button.quiet", { type: "button", onclick: go }, place) : h("strong", null, place), ` ${message}`, help && h("small", null, ` ${help}`)];
}

/** @param {string} key @param {...(string | number)} parts */
function fill(key, ...parts) {
  return parts.reduce((/** @type {string} */ text, part) => text.replace("{}", String(part)), t(key));
}

/** How it is run: changes of operators, replications. @param {string[]} queues @param {() => Promise<void>} begun */
function runForm(queues, begun) {
  const day = chosen.of === "today" || chosen.of === "day";
  const changes = h("div", { data: { changes: "" } });
  const change = () => h("fieldset.inline", { data: { change: "" } },
    field(t("plan.queue"), select({ name: "queue" }, queues.map((it) => [it, it]))),
    field(t("plan.operators"), h("input", { name: "operators", type: "number", min: -1000, max: 1000, value: "" }), t("plan.operators.hint")),
    field(t("plan.from"), h("input", { name: "from", type: "time" }), t("plan.time.hint")),
    field(t("plan.to"), h("input", { name: "to", type: "time" }), t("plan.time.hint")));
  replace(changes, change());
  const form = /** @type {HTMLFormElement} */ (h("form.card", { data: { form: "run" } }, h("h2", null, t("plan.changes")), h("p.small", null, t("plan.changes.hint")),
    changes,
    h("p", null, h("button", { type: "button", data: { action: "add-change" }, onclick: () => changes.append(change()) }, t("plan.add"))),
    h("div.inline", null,
      chosen.of === "day" && field(t("plan.date"), h("input", { name: "date", type: "date", required: true })),
      field(t("plan.replications"), h("input", { name: "replications", type: "number", min: 2, max: 10000 }), t("plan.replications.hint")),
      field(t("plan.seed"), h("input", { name: "seed", type: "number", min: 0, step: 1 }), t("plan.replications.hint"))),
    h("button.primary", { type: "submit", data: { action: "run" } }, t("plan.run"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const { replications, seed, date } = values(form);
      /** @type {Change[]} */
      const wanted = [];
      for (const one of changes.querySelectorAll("[data-change]")) {
        const value = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (one.querySelector(`[name="${name}"]`)).value;
        if (value("operators") !== "" && Number(value("operators")) !== 0) {
          wanted.push({ queue: value("queue"), operators: Number(value("operators")), from: value("from") || null, to: value("to") || null });
        }
      }
      const [kind, key] = chosen.of.split("/");
      if (!day && chosen.text !== chosen.kept) throw new Error(t("plan.keep-first"));
      const of = kind === "today" ? { day: "today" } : day ? { day: date } : kind === "own" ? { own: Number(key) } : { library: key };
      await begin({ of, changes: wanted, replications: replications ? Number(replications) : null, seed: seed ? Number(seed) : null });
      await begun();
    });
  });
  return form;
}

/** @param {unknown} body */
async function begin(body) {
  const run = await post("/planning/runs", body);
  chosen.shown = run.run;
}

/** A change as people read it. @param {Change} change */
function asText({ queue, operators, from, to }) {
  return `${queue} ${operators > 0 ? "+" : ""}${operators}${from || to ? ` (${from ?? ""}–${to ?? ""})` : ""}`;
}

/** @param {any[]} runs @param {() => Promise<void>} follow */
function listed(runs, follow) {
  const state = (/** @type {any} */ run) => {
    const words = fill(`plan.state.${run.state}`, run.before);
    if (run.state !== "running") return [words, run.detail && h("small", null, ` ${run.detail}`)];
    const told = `${fill("plan.progress", run.done, run.planned)}${run.left_s === null ? "" : `, ${fill("plan.left", Math.ceil(run.left_s))}`}`;
    return [h("progress", { max: run.planned, value: run.done, "aria-label": words }), h("small", null, ` ${told}`)];
  };
  const button = (/** @type {string} */ action, /** @type {() => Promise<unknown>} */ act) =>
    h("button", { type: "button", data: { action }, onclick: () => attempt(async () => { await act(); await follow(); }) }, t(`plan.${action}`));
  const buttons = (/** @type {any} */ run) => {
    if (["waiting", "reading", "running"].includes(run.state)) return [button("stop", () => post(`/planning/runs/${run.run}/cancel`))];
    return [
      run.state === "done" && button("show", async () => { chosen.shown = run.run; }),
      run.state !== "done" && button("again", () => begin({ of: run.of, changes: run.changes })),
      button("forget", () => remove(`/planning/runs/${run.run}`)),
    ];
  };
  return h("section.card", null, h("h2", null, t("plan.runs")),
    table(t("plan.runs"), [t("number"), t("plan.of"), t("plan.changes"), t("plan.state"), t("time"), t("plan.by"), ""],
      runs.map((run) => ({ data: { run: run.run, state: run.state }, cells: [run.run, run.name, run.changes.map(asText).join(", ") || "–", state(run), moment(run.at_us), run.by, h("div.moves", null, buttons(run))] })),
      { key: "runs", empty: t("plan.runs.none") }));
}

/** @param {number | null | undefined} value @param {string} unit */
function shown(value, unit) {
  if (value === null || value === undefined) return "–";
  return unit === "share" ? percent(value) : value.toFixed(1);
}

/** @param {number} value @param {string} unit */
function signed(value, unit) {
  return `${value > 0 ? "+" : ""}${(unit === "share" ? 100 * value : value).toFixed(1)}`;
}

/** The answer in the reader's language. @param {any} answer @param {Change[]} changes */
function sentence(answer, changes) {
  const { headline } = answer;
  if (language() !== "ja" || !headline) return answer.sentence;
  /** @type {Figure} */
  const { figure, unit, plan, changed, difference } = headline;
  const of = headline.queue ? `「${headline.queue}」の` : "全体の";
  const what = of + (figure === "service_level" && headline.within_s !== null ? fill("plan.ja.within", headline.within_s) : t(`plan.f.${figure}`));
  if (!plan || !changed || !difference) return fill("plan.ja.alone", what, shown(plan?.value, unit), answer.replications);
  const when = (/** @type {Change} */ { from, to }) => (from || to ? `(${from ?? ""}〜${to ?? ""})` : "");
  const made = changes.map((it) => fill("plan.ja.more", it.queue, it.operators > 0 ? "+" : "−", Math.abs(it.operators), when(it))).join("、");
  const low = difference.low ?? difference.value;
  const high = difference.high ?? difference.value;
  return low <= 0 && high >= 0
    ? fill("plan.ja.unsure", made, what, shown(plan.value, unit), shown(changed.value, unit), signed(low, unit), signed(high, unit))
    : fill("plan.ja", made, what, shown(plan.value, unit), shown(changed.value, unit), signed(difference.value, unit), signed(low, unit), signed(high, unit));
}

/** A finished run's answer beside today's figures. @param {any} run */
async function answerOf(run) {
  const [answer, live] = await Promise.all([
    get(`/planning/runs/${run.run}/answer`),
    get("/statistics/queues", { every: "all" }).catch((problem) => ({ rows: [], problem: wordsOf(problem) })),
  ]);
  const compared = answer.parts[0].figures.some((/** @type {Figure} */ it) => it.changed);
  const happened = answer.date !== null;
  const picture = h("div");
  const draw = (/** @type {number} */ at) => replace(picture, ...partOf(answer.parts[at], compared, happened));
  const first = Math.max(0, answer.parts.findIndex((/** @type {any} */ part) => part.queue === (answer.headline?.queue ?? null)));
  draw(first);
  const choose = select({ data: { key: "plan-part" }, onchange: (/** @type {Event} */ event) => draw(Number(/** @type {HTMLSelectElement} */ (event.target).value)) },
    answer.parts.map((/** @type {any} */ part, /** @type {number} */ at) => [at, part.queue ?? t("plan.whole")]), first);
  const path = `/api/v1/planning/runs/${run.run}`;
  return h("section.card", { data: { answered: run.run } }, h("h2", null, `${t("plan.answer")}: ${run.name}`),
    h("p.answer", { data: { sentence: "" } }, sentence(answer, run.changes)),
    h("p.files", null,
      h("a.button", { href: `${path}/report`, target: "_blank", rel: "noopener", data: { action: "report" } }, t("plan.report")), " ",
      h("a.button", { href: `${path}/results${compared && !happened ? "?of=comparison" : ""}`, download: `run-${run.run}.json`, data: { action: "results" } }, t("plan.results"))),
    answer.parts.length > 1 && field(t("plan.part"), choose),
    picture,
    h("h3", null, t("plan.live")), liveNow(live));
}

/** Today's figures of each queue. @param {any} live */
function liveNow(live) {
  const rows = live.rows.filter((/** @type {any} */ row) => row.queue !== null);
  const keys = ["service_level", "abandonment", "asa_s"];
  return table(t("plan.live"), [t("plan.queue"), { text: t("plan.f.offered"), figure: true }, ...keys.map((key) => ({ text: t(`plan.f.${key}`), figure: true }))],
    rows.map((/** @type {any} */ row) => ({ data: { queue: row.queue }, cells: [row.name, row.figures.offered ?? 0, ...keys.map((key) => shown(row.figures[key], key === "asa_s" ? "seconds" : "share"))] })),
    { key: "live", empty: live.problem ?? t("plan.live.none") });
}

/** Figures and plots of a part. @param {any} part @param {boolean} compared @param {boolean} happened */
function partOf(part, compared, happened) {
  const range = (/** @type {Guess | null} */ guess, /** @type {string} */ unit) => {
    if (!guess) return "–";
    return guess.low === null || guess.high === null ? shown(guess.value, unit) : [shown(guess.value, unit), h("small", null, ` ${shown(guess.low, unit)} – ${shown(guess.high, unit)}`)];
  };
  const difference = (/** @type {Figure} */ { difference: found, unit, better }) => {
    if (!found) return "–";
    const sure = found.low !== null && found.high !== null && (found.low > 0 || found.high < 0);
    const good = sure && better !== "neither" ? ((found.value > 0) === (better === "higher") ? "good" : "bad") : "";
    const text = `${signed(found.value, unit)}${found.low === null || found.high === null ? "" : ` (${signed(found.low, unit)} – ${signed(found.high, unit)})`}`;
    return good ? h(`span.tag.${good}`, null, text) : text;
  };
  const heads = [t("plan.figure"), ...(happened ? [{ text: t("plan.actual"), figure: true }] : []), { text: t("plan.plan"), figure: true },
    ...(compared ? [{ text: t("plan.changed"), figure: true }, { text: t("plan.difference"), figure: true }] : [])];
  const cells = (/** @type {Figure} */ it) => [t(`plan.f.${it.figure}`), ...(happened ? [shown(it.actual, it.unit)] : []), range(it.plan, it.unit), ...(compared ? [range(it.changed, it.unit), difference(it)] : [])];
  /** @type {{key: string, share: boolean}[]} */
  const plots = [{ key: "service_level", share: true }, { key: "wait_s", share: false }, { key: "operators", share: false }];
  const titles = { service_level: "plan.plot.level", wait_s: "plan.plot.wait", operators: "plan.plot.staff" };
  const sides = [...(happened ? ["actual"] : []), "plan", ...(compared ? ["changed"] : [])];
  const has = (/** @type {string} */ side, /** @type {string} */ key) => part.stretches.some((/** @type {any} */ it) => typeof it[side]?.[key] === "number");
  const pictures = plots.filter(({ key }) => sides.some((side) => has(side, key))).map(({ key, share }) => lines(t(/** @type {any} */ (titles)[key]),
    part.stretches.map((/** @type {any} */ it) => it.start),
    sides.filter((side) => has(side, key)).map((side) => ({ kind: side, title: t(`plan.${side}`), values: part.stretches.map((/** @type {any} */ it) => it[side]?.[key] ?? null) })), share));
  const numbers = plots.flatMap(({ key, share }) => sides.filter((side) => has(side, key)).map((side) => ({ key, share, side })));
  return [
    h("h3", null, t("plan.figures")),
    table(t("plan.figures"), heads, part.figures.map((/** @type {Figure} */ it) => ({ data: { figure: it.figure }, cells: cells(it) })), { key: "figures" }),
    h("div.plots", { data: { plots: "" } }, pictures),
    h("details.card", null, h("summary", null, t("plan.numbers")),
      table(t("plan.numbers"), [t("plan.plot.start"), ...numbers.map(({ key, side }) => ({ text: `${t(/** @type {any} */ (titles)[key])}, ${t(`plan.${side}`)}`, figure: true }))],
        part.stretches.map((/** @type {any} */ it) => ({ data: { start: it.start }, cells: [it.start, ...numbers.map(({ key, share, side }) => shown(it[side]?.[key], share ? "share" : "seconds"))] })), { key: "stretches" })),
  ];
}
