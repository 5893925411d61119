// Notices and FAQ: what the help centre and the open API show, those that are not shown yet or any more among them.

import { exchange, get, post, remove } from "../../api.js";
import { h, field, replace, select, values } from "../../element.js";
import { attempt, confirmed, dialog } from "../../dialog.js";
import { names } from "../../session.js";
import { moment, serverNow } from "../../time.js";
import { addWords, language, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { Pager } from "../shared/table.js";
import { table } from "../supervision/table.js";
import { serviceOptions } from "./choices.js";

addWords({
  "administration.articles": ["Notices and FAQ", "お知らせ・FAQ"],
  "articles.kind": ["Kind", "種類"],
  "articles.faq": ["FAQ", "よくある質問"],
  "articles.notice": ["Notice", "お知らせ"],
  "articles.all-services": ["All services", "すべてのサービス"],
  "articles.language": ["Language", "言語"],
  "articles.language.hint": ["As in ja, en or zh-hant", "例: ja、en、zh-hant"],
  "articles.order": ["Order (lesser goes first)", "表示順(小さい順)"],
  "articles.title": ["Title or question", "タイトル・質問"],
  "articles.text": ["Text or answer", "本文・回答"],
  "articles.from": ["Shown from", "公開開始"],
  "articles.until": ["Until", "公開終了"],
  "articles.from.hint": ["Empty: at once", "空欄: すぐに公開"],
  "articles.until.hint": ["Empty: for as long as it is there", "空欄: 期限なし"],
  "articles.state": ["State", "状態"],
  "articles.shown": ["Shown", "公開中"],
  "articles.later": ["Later", "公開前"],
  "articles.over": ["Over", "公開終了"],
  "articles.add": ["Add an article", "記事を追加"],
  "articles.change": ["Change", "変更"],
  "articles.remove": ["{} is removed for good.", "{} を削除します。元に戻せません。"],
  "articles.seen": ["Customers see them where the service's help centre is switched on (services, customers), and by the open API.", "サービスのヘルプセンターが公開中の場合(サービス → 顧客向け)と、オープンAPIで表示されます。"],
});

/** What was looked at last. */
const which = { service: "", kind: "" };

/** @type {import("../administration.js").Section} */
export const articlesSection = {
  key: "articles",
  async open(into) {
    const place = new Place(() => list());
    const pager = new Pager(() => place.show());
    const again = () => attempt(() => place.refresh());
    const filter = (/** @type {"service" | "kind"} */ key, /** @type {string} */ label, /** @type {[string | number, string][]} */ options) =>
      field(label, select({ data: { key: `articles-${key}` }, onchange: (/** @type {Event} */ event) => {
        which[key] = /** @type {HTMLSelectElement} */ (event.target).value;
        pager.first();
        place.show();
      } }, options, which[key]));
    const list = async () => {
      const found = await get("/articles", { ...which, after: pager.after, limit: 50 });
      pager.show(found.next);
      return table(t("administration.articles"), [t("articles.title"), t("articles.kind"), t("service.one"), t("articles.language"), { text: t("articles.order"), figure: true }, t("articles.state"), ""],
        found.items.map((/** @type {any} */ it) => ({
          data: { article: it.id },
          cells: [h("span.roomy", { lang: it.language }, it.title), t(`articles.${it.kind}`), names.service(it.service), it.language, it.order, state(it),
            h("span.moves", null,
              h("button", { type: "button", "aria-label": `${t("articles.change")}: ${it.title}`, data: { action: "change" }, onclick: () => attempt(() => write(it.id, again)) }, t("articles.change")),
              h("button.danger", { type: "button", "aria-label": `${t("remove")}: ${it.title}`, data: { action: "remove" }, onclick: async () => {
                if (!await confirmed(it.title, t("articles.remove").replace("{}", it.title), t("remove"))) return;
                await attempt(async () => remove(`/articles/${it.id}`, (await exchange("GET", `/articles/${it.id}`)).etag));
                again();
              } }, t("remove")))],
        })), { key: "articles" });
    };
    replace(into, h("div.heading", null, h("h2", null, t("administration.articles")),
      h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => attempt(() => write(null, again)) }, t("articles.add"))),
    h("p.small", null, t("articles.seen")),
    h("div.inline", null, filter("service", t("service.one"), [["", t("articles.all-services")], ...serviceOptions()]),
      filter("kind", t("articles.kind"), [["", t("all")], ["faq", t("articles.faq")], ["notice", t("articles.notice")]])),
    place.element, pager.element);
    await place.show();
  },
};

/** @param {any} it */
function state(it) {
  const now = serverNow();
  const key = it.from_us > now ? "later" : it.until_us !== null && it.until_us <= now ? "over" : "shown";
  return [h("span.tag", { data: { articleState: key } }, t(`articles.${key}`)), key === "later" ? ` ${moment(it.from_us)}` : it.until_us !== null ? ` – ${moment(it.until_us)}` : ""];
}

/** A moment as an input of this browser has it: its own clock's. @param {number | null | undefined} us */
function local(us) {
  if (!us) return "";
  const date = new Date(us / 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} text */
function micros(text) {
  return text === "" ? null : new Date(text).getTime() * 1000;
}

/** @param {number | null} id `null` for a new one @param {() => void} again */
async function write(id, again) {
  const { value: it, etag } = id === null ? { value: null, etag: null } : await exchange("GET", `/articles/${id}`);
  const when = (/** @type {string} */ name, /** @type {number | null | undefined} */ us) => field(t(`articles.${name}`), h("input", { name, type: "datetime-local", value: local(us) }), t(`articles.${name}.hint`));
  dialog({
    title: t(it ? "articles.change" : "articles.add"),
    key: "article",
    wide: true,
    content: [
      h("div.inline", null,
        field(t("articles.kind"), select({ name: "kind" }, [["faq", t("articles.faq")], ["notice", t("articles.notice")]], it?.kind ?? (which.kind || "faq"))),
        field(t("service.one"), select({ name: "service" }, serviceOptions(), it?.service ?? which.service)),
        field(t("articles.language"), h("input", { name: "language", required: true, maxlength: 35, size: 8, value: it?.language ?? language(), autocomplete: "off" }), t("articles.language.hint")),
        field(t("articles.order"), h("input", { name: "order", type: "number", min: 0, max: 4_294_967_295, required: true, value: it?.order ?? 0 }))),
      field(t("articles.title"), h("input.whole", { name: "title", required: true, maxlength: 200, value: it?.title ?? "", autocomplete: "off" })),
      field(t("articles.text"), h("textarea", { name: "text", rows: 10, required: true, maxlength: 20_000, value: it?.text ?? "" })),
      h("div.inline", null, when("from", it?.from_us), when("until", it?.until_us)),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { kind, service, language: of, order, title, text, from, until } = values(form);
      const body = { kind, service: Number(service), language: of, order: Number(order), title, text, from_us: micros(from) ?? 0, until_us: micros(until) };
      await (id === null ? post("/articles", body) : exchange("PUT", `/articles/${id}`, { body, etag }));
      again();
    },
  });
}
