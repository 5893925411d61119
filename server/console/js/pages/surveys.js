// Customers' satisfaction: surveys, and what was answered.

import { get, post, put } from "../api.js";
import { h, field, replace, select, values } from "../element.js";
import { attempt, dialog, show } from "../dialog.js";
import { names, who } from "../session.js";
import { addWords, t } from "../words.js";
import { Bound } from "./administration/bound.js";
import { entries } from "./administration/numbers.js";
import { interval } from "./supervision/plot.js";
import { percent, table } from "./supervision/table.js";

addWords({
  "surveys.none": ["No survey yet: an administrator makes one, and customers are asked after a call, a chat or a ticket.", "アンケートはまだありません。管理者が作成すると、通話・チャット・チケットの後に顧客へ送られます。"],
  "surveys.title": ["Title", "タイトル"],
  "surveys.title.hint": ["As customers see it", "顧客に表示されます"],
  "surveys.service": ["Service", "サービス"],
  "surveys.channel": ["After a", "対象"],
  "surveys.channel.phone": ["call", "通話"],
  "surveys.channel.chat": ["chat", "チャット"],
  "surveys.channel.ticket": ["ticket", "チケット"],
  "surveys.questions": ["Questions", "質問"],
  "surveys.state": ["State", "状態"],
  "surveys.active": ["Customers are asked", "実施中"],
  "surveys.inactive": ["Not asked", "停止中"],
  "surveys.begin": ["Begin asking", "実施する"],
  "surveys.end": ["End asking", "停止する"],
  "surveys.add": ["Make a survey", "アンケートを作成"],
  "surveys.add.hint": ["Its questions stay as they are, so that its results are about one thing. It is not active yet.", "質問は後から変更できません。作成後に実施を開始してください。"],
  "surveys.add-question": ["Add a question", "質問を追加"],
  "surveys.text": ["Question", "質問文"],
  "surveys.kind": ["Answered by", "回答形式"],
  "surveys.kind.score": ["a score of 1 (bad) to 5 (good)", "1(悪い)〜5(良い)の点数"],
  "surveys.kind.choice": ["one of several", "選択肢"],
  "surveys.kind.text": ["own words", "自由記述"],
  "surveys.choices": ["To choose from, one a line (2 to 20)", "選択肢(1行に1つ、2〜20個)"],
  "surveys.required": ["Must be answered", "必須"],
  "surveys.back": ["All surveys", "アンケート一覧"],
  "surveys.from": ["Answered from", "回答日(開始)"],
  "surveys.to": ["to", "回答日(終了)"],
  "surveys.by": ["By", "集計単位"],
  "surveys.by.total": ["all in one", "全体"],
  "surveys.by.operator": ["operator", "オペレーター"],
  "surveys.by.queue": ["queue", "キュー"],
  "surveys.show": ["Show", "表示"],
  "surveys.replies": ["Replies: {}", "回答数: {}"],
  "surveys.nobody": ["Nobody answered yet.", "回答はまだありません。"],
  "surveys.none-of": ["without one", "なし"],
  "surveys.mean": ["Mean {} of {} answers, 95 % interval {} to {}", "平均 {} ({}件、95 %信頼区間 {}〜{})"],
  "surveys.mean-one": ["Mean {} of one answer: no interval yet", "平均 {} (1件のため信頼区間なし)"],
  "surveys.answers": ["Answers: {}", "回答: {}件"],
  "surveys.texts": ["Answers in own words: {}. They are not shown here.", "自由記述: {}件。内容はここでは表示しません。"],
  "surveys.answer": ["Answer", "回答"],
  "surveys.count": ["Count", "件数"],
  "surveys.share": ["Share", "割合"],
});

const READERS = ["supervisor", "planner", "administrator"];

/** @type {import("../main.js").Page} */
export const surveysPage = {
  key: "surveys",
  roles: ["operator", "supervisor", "planner", "administrator", "auditor"],
  open(into, [number]) {
    const page = h("div.surveys");
    replace(into, page);
    show(page, () => (number === undefined || !READERS.includes(who().role) ? list(page) : results(Number(number))));
  },
};

/** @param {Element} page */
async function list(page) {
  const surveys = await get("/surveys");
  const { role } = who();
  const again = () => show(page, () => list(page));
  return [
    h("div.heading", null, h("h1", null, t("page.surveys")),
      role === "administrator" && h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => make(again) }, t("surveys.add"))),
    table(t("page.surveys"), [t("surveys.title"), t("surveys.service"), t("surveys.channel"), { text: t("surveys.questions"), figure: true }, t("surveys.state"), ""],
      surveys.map((/** @type {any} */ it) => ({
        data: { survey: it.survey },
        cells: [
          READERS.includes(role) ? h("a", { href: `#/surveys/${it.survey}` }, it.title) : it.title,
          names.service(it.service), t(`surveys.channel.${it.channel}`), it.questions.length,
          h(it.active ? "span.tag.good" : "span.tag", null, t(it.active ? "surveys.active" : "surveys.inactive")),
          role === "administrator" && h("button", { type: "button", "aria-label": `${t(it.active ? "surveys.end" : "surveys.begin")}: ${it.title}`, data: { action: "activate" }, onclick: async () => {
            await attempt(() => put(`/surveys/${it.survey}/active`, { active: !it.active }));
            again();
          } }, t(it.active ? "surveys.end" : "surveys.begin")),
        ],
      })), { key: "surveys", empty: t("surveys.none") }),
  ];
}

/** @param {() => void} again */
function make(again) {
  const draft = { title: "", service: [...names.services.keys()][0] ?? 0, channel: "phone", questions: [{ text: "", kind: "score", choices: "", required: true }] };
  const content = h("div");
  const render = () => {
    const own = new Bound(draft, "");
    replace(content,
      h("p.small", null, t("surveys.add.hint")),
      field(t("surveys.title"), own.text("title"), t("surveys.title.hint")),
      h("div.grid", null,
        field(t("surveys.service"), own.choice("service", [...names.services])),
        field(t("surveys.channel"), own.choice("channel", ["phone", "chat", "ticket"].map((it) => [it, t(`surveys.channel.${it}`)])))),
      entries({
        of: draft.questions, key: "questions", text: t("surveys.questions"), add: t("surveys.add-question"), again: render,
        fresh: () => ({ text: "", kind: "score", choices: "", required: false }), name: (it) => it.text,
        entry(it, at) {
          const one = new Bound(it, `question-${at}`);
          return [
            field(t("surveys.text"), one.text("text", { maxlength: 200 })),
            field(t("surveys.kind"), new Bound(it, `question-${at}`, render).choice("kind", ["score", "choice", "text"].map((kind) => [kind, t(`surveys.kind.${kind}`)]))),
            it.kind === "choice" && field(t("surveys.choices"), one.area("choices", { required: true, rows: 3 })),
            one.flag("required", t("surveys.required")),
          ];
        },
      }));
  };
  render();
  dialog({
    title: t("surveys.add"),
    key: "survey",
    wide: true,
    content: [content],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async () => {
      const lines = (/** @type {string} */ text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
      const questions = draft.questions.map(({ text, kind, choices, required }) => ({ text, kind: kind === "choice" ? { choice: lines(choices) } : kind, required }));
      await post("/surveys", { ...draft, questions });
      again();
    },
  });
}

/** @param {number} number */
async function results(number) {
  const survey = (await get("/surveys")).find((/** @type {any} */ it) => it.survey === number);
  if (!survey) throw new Error(t("nothing"));
  const found = h("div", { data: { results: number } });
  const form = /** @type {HTMLFormElement} */ (h("form.card.asked", { data: { form: "results" } },
    field(t("surveys.from"), h("input", { name: "from", type: "date" })),
    field(t("surveys.to"), h("input", { name: "to", type: "date" })),
    field(t("surveys.by"), select({ name: "by" }, ["total", "operator", "queue"].map((it) => [it, t(`surveys.by.${it}`)]))),
    h("button.primary", { type: "submit" }, t("surveys.show"))));
  const ask = () => show(found, async () => {
    const { from, to, by } = values(form);
    const groups = await get(`/surveys/${number}/results`, { from_us: from && 1_000 * midnight(from, 0), to_us: to && 1_000 * midnight(to, 1), by });
    if (groups.length === 0) return h("p.empty", null, t("surveys.nobody"));
    return groups.map((/** @type {any} */ group) => groupOf(group, by, survey));
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  ask();
  return [
    h("p.back", null, h("a", { href: "#/surveys" }, "← ", t("surveys.back"))),
    h("h1", null, survey.title),
    h("p.small", null, `${names.service(survey.service)} · ${t(`surveys.channel.${survey.channel}`)} · ${t(survey.active ? "surveys.active" : "surveys.inactive")}`),
    form, found,
  ];
}

/** Midnight of a day here, in milliseconds. @param {string} day @param {number} later in days */
function midnight(day, later) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).getTime();
}

/** @param {any} group @param {string} by @param {any} survey */
function groupOf({ of, replies, questions }, by, survey) {
  const name = of === null ? t("surveys.none-of") : by === "operator" ? names.operator(of) : names.queue(of);
  return h("section.card", { data: { group: of ?? "" } },
    by !== "total" && h("h2", null, name),
    h("p", null, t("surveys.replies").replace("{}", replies)),
    questions.map((/** @type {any} */ it, /** @type {number} */ at) => question(it, survey.questions[at], by === "total" ? "h2" : "h3")));
}

/** @param {any} result @param {any} asked @param {"h2" | "h3"} heading */
function question({ text, n, mean, interval: band, distribution }, asked, heading) {
  const two = (/** @type {number} */ value) => value.toFixed(2);
  const words = asked.kind === "text" ? t("surveys.texts").replace("{}", n)
    : mean === null || mean === undefined ? t("surveys.answers").replace("{}", n)
      : band ? [two(mean), n, two(band[0]), two(band[1])].reduce((sentence, part) => sentence.replace("{}", String(part)), t("surveys.mean"))
        : t("surveys.mean-one").replace("{}", two(mean));
  const labels = asked.kind === "score" ? ["1", "2", "3", "4", "5"] : asked.kind.choice ?? [];
  return h("div.question", null,
    h(heading, null, text),
    h("p", { data: { question: "words" } }, words),
    asked.kind === "score" && mean !== null && mean !== undefined && interval(mean, band, 1, 5, words),
    distribution.length > 0 && n > 0 && table(text, [t("surveys.answer"), { text: t("surveys.count"), figure: true }, { text: t("surveys.share"), figure: true }, ""],
      distribution.map((/** @type {number} */ count, /** @type {number} */ at) => ({
        cells: [labels[at] ?? at, count, percent(count / n, n), bar(count / n)],
      }))));
}

/** @param {number} share */
function bar(share) {
  const filled = h("span.filled");
  filled.style.setProperty("--share", String(share));
  return h("span.share", { "aria-hidden": "true" }, filled);
}
