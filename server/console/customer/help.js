// The help centre of a service: notices, FAQ with search, and the inquiry form; `view=inquiry` is the form alone, for a frame.

import { h, field, replace } from "../js/element.js";
import { addWords, language, speakHere, t } from "../js/words.js";
import { ask, number, organisation, pageAddress, query } from "./customer.js";
import { inquiryForm } from "./inquiry.js";
import { ownToken, showOwn } from "./own.js";

addWords({
  "help.title": ["Help", "ヘルプセンター"],
  "help.which": ["What do you need help with?", "サービスを選択してください"],
  "help.none": ["There is no help centre here.", "公開中のヘルプセンターはありません。"],
  "help.own-closed": ["This inquiry cannot be opened: the address is wrong, or it is long over.", "このお問い合わせは表示できません。アドレスが違うか、期間が過ぎています。"],
  "help.open": ["Open now", "ただいま営業中"],
  "help.closed": ["Closed now", "ただいま営業時間外"],
  "help.search": ["Search the questions", "よくある質問を検索"],
  "help.find": ["Search", "検索"],
  "help.clear": ["All questions", "すべての質問"],
  "help.notices": ["Notices", "お知らせ"],
  "help.faq": ["Frequently asked questions", "よくある質問"],
  "help.found": ["Questions with “{}”", "「{}」を含む質問"],
  "help.nothing": ["Nothing was found. Other words may find more; or ask us.", "見つかりませんでした。別の言葉で検索するか、お問い合わせください。"],
  "help.no-questions": ["There are no questions here yet.", "まだ質問がありません。"],
  "help.not-answered": ["Is your question not here?", "解決しない場合"],
  "help.inquiry": ["Write to us", "お問い合わせフォーム"],
  "help.chat": ["Chat with us", "チャットで相談"],
  "help.more": ["More", "さらに表示"],
  "help.language": ["日本語", "English"],
  "help.failed": ["This cannot be shown: {}", "表示できません: {}"],
  "help.again": ["Try again", "再試行"],
});

const top = /** @type {HTMLElement} */ (document.getElementById("top"));
const main = /** @type {HTMLElement} */ (document.getElementById("help"));
const service = number("service");
const formAlone = query.get("view") === "inquiry";
/** What was searched for, in this page's address: a result can be sent to somebody. */
let sought = query.get("q") ?? "";

/** @param {string} path @param {Record<string, unknown>} [more] */
function centre(path, more = {}) {
  const own = new URLSearchParams();
  for (const [key, value] of Object.entries({ organisation, ...more })) if (value !== undefined && value !== "") own.set(key, String(value));
  return `help-centres${path}${own.size > 0 ? `?${own}` : ""}`;
}

/** A text, with its addresses of the web to be followed. @param {string} text */
function written(text) {
  const parts = text.split(/(https?:\/\/[^\s<>"'「」、。()()]+)/);
  return h("div.text", null, parts.map((part, at) => (at % 2 === 0 ? part : h("a", { href: part, rel: "noopener noreferrer", target: "_blank" }, part))));
}

/** @param {number} us */
function day(us) {
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium" }).format(new Date(us / 1000));
}

/** Articles in this language; where there are none, those that there are. @param {string} kind @param {Record<string, unknown>} [more] */
async function articles(kind, more = {}) {
  const own = await ask("GET", centre(`/${service}/${kind}`, { language: language(), ...more }));
  return own.items.length > 0 || more.after ? own : ask("GET", centre(`/${service}/${kind}`, more));
}

function languageButton() {
  const other = language() === "ja" ? "en" : "ja";
  return h("button.quiet", { type: "button", lang: other, onclick: () => {
    speakHere(/** @type {"en" | "ja"} */ (other));
    query.set("language", other);
    remember();
    open();
  } }, t("help.language"));
}

/** What is shown stands in the address. */
function remember() {
  if (sought) query.set("q", sought);
  else query.delete("q");
  history.replaceState(null, "", `?${query}${location.hash}`);
}

async function open() {
  document.title = t("help.title");
  const own = ownToken();
  try {
    if (own !== null) {
      replace(top, h("p.name", null, t("help.title")), languageButton());
      return await showOwn(main, own);
    }
    await (service === undefined ? choose() : show(await ask("GET", centre(`/${service}`))));
  } catch (problem) {
    const missing = [401, 404].includes(/** @type {any} */ (problem).problem?.status);
    replace(top, h("p.name", null, t("help.title")), languageButton());
    replace(main, h("div", { role: "alert" }, h("h1", null, t("help.title")),
      h("p", null, missing ? t(own === null ? "help.none" : "help.own-closed") : t("help.failed").replace("{}", /** @type {Error} */ (problem).message)),
      !missing && h("button", { type: "button", onclick: open }, t("help.again"))));
  }
}

async function choose() {
  const all = await ask("GET", centre(""));
  if (all.length === 1) {
    location.replace(pageAddress("/help", { service: all[0].service }));
    return;
  }
  replace(top, h("p.name", null, t("help.title")), languageButton());
  replace(main, h("h1", null, t(all.length > 0 ? "help.which" : "help.title")),
    all.length === 0 ? h("p", null, t("help.none"))
      : h("ul.centres", null, all.map((/** @type {any} */ it) => h("li", null, h("a", { href: pageAddress("/help", { service: it.service }) }, it.name)))));
}

/** @param {any} of */
async function show(of) {
  document.title = `${of.name} · ${t("help.title")}`;
  top.hidden = formAlone;
  replace(top, h("div", null, h("p.name", null, of.name), h("p.small", null, t(of.open_now ? "help.open" : "help.closed"))), languageButton());
  if (formAlone) {
    replace(main, h("h1", null, t("help.inquiry")));
    if (!of.inquiries) return main.append(h("p", null, t("help.none")));
    return main.append(await inquiryForm(centre(`/${service}/form`), centre(`/${service}/inquiries`)));
  }
  const notices = h("section", { "aria-label": t("help.notices"), hidden: true, data: { key: "notices" } });
  const questions = h("section", { data: { key: "questions" } });
  replace(main, h("h1", null, of.name, " ", t("help.title")), of.articles && [search(questions), notices, questions], contact(of));
  if (of.articles) await Promise.all([showNotices(notices), showQuestions(questions)]);
}

/** @param {HTMLElement} questions */
function search(questions) {
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "search", name: "q", maxlength: 100, value: sought, autocomplete: "off", data: { key: "search" } }));
  return h("form.find", { role: "search", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    sought = input.value.trim();
    remember();
    showQuestions(questions).catch((problem) => replace(questions, h("p.wrong", { role: "alert" }, problem.message)));
  } }, field(t("help.search"), input), h("button.primary", { type: "submit" }, t("help.find")));
}

/** @param {HTMLElement} into */
async function showNotices(into) {
  const { items } = await articles("notices", { limit: 10 });
  into.hidden = items.length === 0;
  replace(into, h("h2", null, t("help.notices")), items.map((/** @type {any} */ it) => h("article.notice", { lang: it.language, data: { article: it.id } },
    h("h3", null, it.title), h("p.small", null, h("time", null, day(it.from_us || it.changed_us))), written(it.text))));
}

/** @param {HTMLElement} into */
async function showQuestions(into) {
  const list = h("div", { role: "status" });
  const more = h("p");
  const add = async (/** @type {string | undefined} */ after) => {
    const { items, next } = await articles("faq", { q: sought, limit: 50, after });
    list.append(...items.map((/** @type {any} */ it) => h("details.question", { lang: it.language, data: { article: it.id }, open: Boolean(sought) && items.length === 1 },
      h("summary", null, it.title), written(it.text))));
    if (list.childElementCount === 0) list.append(h("p.empty", null, t(sought ? "help.nothing" : "help.no-questions")));
    replace(more, next && h("button", { type: "button", onclick: () => add(next) }, t("help.more")));
  };
  await add(undefined);
  replace(into, h("h2", null, sought ? t("help.found").replace("{}", sought) : t("help.faq")),
    sought && h("p", null, h("button.quiet", { type: "button", onclick: () => {
      sought = "";
      remember();
      /** @type {HTMLInputElement} */ (main.querySelector("input[type=search]")).value = "";
      showQuestions(into);
    } }, `← ${t("help.clear")}`)), list, more);
}

/** @param {any} of */
function contact(of) {
  if (!of.inquiries && !of.chat) return null;
  const place = h("div", { data: { key: "inquiry" } });
  const openForm = async () => {
    button.disabled = true;
    try {
      replace(place, await inquiryForm(centre(`/${service}/form`), centre(`/${service}/inquiries`)));
      button.hidden = true;
      /** @type {HTMLElement | null} */ (place.querySelector("input:not([tabindex])"))?.focus();
    } catch (problem) {
      replace(place, h("p.wrong", { role: "alert" }, /** @type {Error} */ (problem).message));
    }
    button.disabled = false;
  };
  const button = /** @type {HTMLButtonElement} */ (h("button.primary", { type: "button", data: { key: "write" }, onclick: openForm }, t("help.inquiry")));
  if (of.inquiries && (location.hash === "#inquiry" || !of.articles)) openForm();
  return h("section", null, of.articles && h("h2", null, t("help.not-answered")),
    h("div.buttons", null, of.inquiries && button, of.chat && h("a.button", { href: pageAddress("/chat", { service: of.service }), data: { key: "chat" } }, t("help.chat"))), place);
}

addEventListener("hashchange", open);
open();
