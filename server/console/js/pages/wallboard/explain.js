// Why was this operator chosen, or why does nobody get it: what the rules say of everybody now.

import { get, remove } from "../../api.js";
import { h } from "../../element.js";
import { attempt, dialog } from "../../dialog.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";
import { follow } from "../shared/live.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { workWords } from "./line.js";

addWords({
  "explain.title": ["Who gets it, and why: {}", "割り当ての理由: {}"],
  "explain.rings": ["It rings at {}.", "{} を呼び出しています。"],
  "explain.next": ["{} would be chosen first.", "次に選ばれるのは {} です。"],
  "explain.nobody": ["Nobody can take it now.", "現在対応できる人がいません。"],
  "explain.ahead": ["Served before it: {}", "先に処理されるもの: {}件"],
  "explain.relaxed": ["Relaxations that apply: {}", "適用中の条件緩和: {}"],
  "explain.rule": ["What the rules say", "判定"],
  "explain.detail": ["In detail", "詳細"],
  "explain.rank": ["Rank", "ランク"],
  "explain.rank.hint": ["Membership level, then lack of proficiency; smaller goes first.", "レベルと習熟度の不足。小さいほど先。"],
  "explain.key": ["Key of the policy", "割り当て方式の値"],
  "explain.key.hint": ["Smaller goes first.", "小さいほど先。"],
  "explain.withdraw": ["Withdraw the offer", "呼出を取り消す"],
  "explain.withdrawn": ["It does not ring there any more", "呼出はすでに終わっています"],
  "verdict.offered": ["It rings there", "呼出中"],
  "verdict.acceptable": ["Could take it", "対応可能"],
  "verdict.kept-for-another": ["Kept for the customer's last operator", "前回の担当者のために保留"],
  "verdict.missed-it": ["Missed it, and somebody else could take it", "不応答のため他の人を優先"],
  "verdict.status": ["Not Ready", "待機中ではない"],
  "verdict.no-capacity": ["No capacity left", "同時対応数の上限"],
  "verdict.level": ["Of a level that is not asked yet", "まだ対象外のレベル"],
  "verdict.skill": ["Lacks a skill", "スキル不足"],
  "verdict.not-member": ["Does not serve the queue", "キューの担当外"],
});

/** @param {Record<string, string>} work `{"call": "31-4"}` and its like */
export function explainDialog(work) {
  const place = new Place(async () => {
    const explained = await get("/explain", work);
    return content(explained, () => place.refresh());
  });
  const stop = follow(({ event }) => event !== "chat-line", () => place.show(), 10_000);
  dialog({ title: t("explain.title").replace("{}", workWords(work)), key: "explain", wide: true, content: [place.element], actions: [{ text: t("close") }], closed: stop });
  place.show();
}

/** @param {any} explained @param {() => Promise<unknown>} again */
function content({ work, queue, ahead, relaxed, candidates }, again) {
  const of = (/** @type {string} */ rule) => candidates.filter((/** @type {any} */ it) => it.rule === rule);
  const all = (/** @type {any[]} */ list) => list.map((it) => names.operator(it.operator)).join(", ");
  const [offered, acceptable] = [of("offered"), of("acceptable")];
  const answer = offered.length > 0 ? t("explain.rings").replace("{}", all(offered))
    : acceptable.length > 0 ? t("explain.next").replace("{}", all(acceptable.slice(0, 1))) : t("explain.nobody");
  /** @type {Map<string, number>} */
  const counted = new Map();
  for (const { rule } of candidates) counted.set(rule, (counted.get(rule) ?? 0) + 1);
  return [
    h("p.answer", { data: { explain: "answer" } }, h("strong", null, answer)),
    h("p", null, [...counted].map(([rule, count]) => `${t(`verdict.${rule}`)}: ${count}`).join(" · ")),
    h("p.small", null, `${t("phone.queue")}: ${names.queue(queue)} · ${t("explain.ahead").replace("{}", ahead)} · ${t("explain.relaxed").replace("{}", relaxed)}`),
    table(t("explain.rule"),
      [t("wallboard.operator"), t("explain.rule"), t("explain.detail"), { text: t("explain.rank"), figure: true, title: t("explain.rank.hint") },
        { text: t("explain.key"), figure: true, title: t("explain.key.hint") }, t("wallboard.actions")],
      candidates.map((/** @type {any} */ it) => ({
        data: { candidate: it.operator, rule: it.rule },
        cells: [names.operator(it.operator), t(`verdict.${it.rule}`), detail(it), it.rank ?? "", it.key ?? "",
          it.rule === "offered" && h("button.danger", { type: "button", data: { action: "withdraw", key: `withdraw-${it.operator}` }, onclick: () => attempt(async () => {
            await withdraw(it.operator, work);
            await again();
          }) }, t("explain.withdraw"))],
      })), { key: "candidates" }),
  ];
}

/** The rule's own words, which the server says in English; a status is shown as everywhere. @param {{detail: string}} candidate */
function detail({ detail: words }) {
  const status = /^in status (\w+)$/.exec(words)?.[1].replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  return status ? t(`status.${status}`) : h("small.roomy", { lang: "en" }, words);
}

/** Takes the offer of this work to an operator back; what was offered waits again in its place.
 * @param {number} operator @param {Record<string, string>} work */
async function withdraw(operator, work) {
  const desk = await get(`/operators/${operator}/desk`);
  const offer = desk.offers.find((/** @type {any} */ it) => JSON.stringify(it.work) === JSON.stringify(work));
  if (!offer) throw new Error(t("explain.withdrawn"));
  await remove(`/offers/${offer.offer}`);
}
