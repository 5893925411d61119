// An inquiry as whoever sent it sees it: what was written, what was answered, and going on with it. The form that was sent opens it.

import { h, field, replace } from "../js/element.js";
import { addWords, language, t } from "../js/words.js";
import { ask, organisation, sendInTurn, waits } from "./customer.js";

addWords({
  "own.title": ["Your inquiry", "お問い合わせ"],
  "own.new": ["Received", "受付済み"],
  "own.open": ["In progress", "対応中"],
  "own.pending": ["In progress", "対応中"],
  "own.solved": ["Answered", "回答済み"],
  "own.closed": ["Closed", "完了"],
  "own.you": ["You", "お客様"],
  "own.us": ["Answer", "回答"],
  "own.files": ["Files sent", "送信したファイル"],
  "own.write": ["Write again", "追加のご連絡"],
  "own.send": ["Send", "送信"],
  "own.sent": ["Sent", "送信しました"],
  "own.reload": ["Look again", "更新"],
});

/** Where an inquiry is read. @param {string} token @param {string} page the help centre's address */
export function ownAddress(token, page) {
  return `${page}#own=${encodeURIComponent(token)}`;
}

/** What opens the inquiry of this page's address: null where it names none, empty where what it names opens nothing. */
export function ownToken() {
  const found = /^#own=(.*)$/.exec(location.hash);
  if (!found) return null;
  try {
    return /^\d+\/[\w.-]+$/.exec(decodeURIComponent(found[1]))?.[0] ?? "";
  } catch {
    // Cut off in the middle of a letter, as mail programs do.
    return "";
  }
}

const query = organisation === undefined ? "" : `?${new URLSearchParams({ organisation })}`;

/** @param {HTMLElement} into @param {string} token */
export async function showOwn(into, token) {
  const found = await ask("GET", `inquiry${query}`, undefined, token);
  const when = (/** @type {number} */ us) => new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(us / 1000));
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const text = /** @type {HTMLTextAreaElement} */ (h("textarea", { rows: 4, required: true, maxlength: 20_000 }));
  // One key for what is typed: sent again after a failure it is written once.
  const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    wrong.hidden = true;
    try {
      await sendInTurn(() => ask("POST", `inquiry/replies${query}`, { text: text.value }, token, key), waits(form, wrong));
      await showOwn(into, token);
    } catch (problem) {
      wrong.hidden = false;
      wrong.textContent = /** @type {Error} */ (problem).message;
    }
  };
  const form = /** @type {HTMLFormElement} */ (h("form.inquiry", { onsubmit: send }, field(t("own.write"), text), wrong, h("button.primary", { type: "submit" }, t("own.send"))));
  replace(into,
    h("h1", null, `${t("own.title")} ${found.inquiry}`),
    h("p", null, h("strong", null, found.subject), " ", h("span.tag", { data: { status: found.status } }, t(`own.${found.status}`)), " ",
      h("button.quiet", { type: "button", onclick: () => showOwn(into, token) }, t("own.reload"))),
    h("div", { role: "log", "aria-label": t("own.title") }, found.messages.map((/** @type {any} */ it) => h(`article.notice.${it.from}`, { data: { from: it.from } },
      h("p.small", null, `${t(it.from === "customer" ? "own.you" : "own.us")} · `, h("time", null, when(it.at_us))), h("div.text", null, it.text)))),
    found.attachments.length > 0 && h("p.small", null, `${t("own.files")}: ${found.attachments.map((/** @type {any} */ it) => it.name).join(", ")}`),
    form);
}
