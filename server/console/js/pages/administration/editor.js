// One part of the floor, edited on a copy: the copy stays when one looks at another page, and when somebody else was faster.

import { Refused, Unreachable } from "../../api.js";
import { h, replace } from "../../element.js";
import { tell, wordsOf } from "../../dialog.js";
import { who } from "../../session.js";
import { addWords, t } from "../../words.js";
import { Changed, floor, merge, same } from "./floor.js";

addWords({
  "editor.unsaved": ["Not saved yet", "未保存の変更があります"],
  "editor.discard": ["Discard changes", "変更を破棄"],
  "editor.both": ["Both of you changed: {}. Yours is shown.", "双方が変更した項目: {}。自分の内容を表示しています。"],
  "editor.unknown": ["This does not exist.", "存在しません。"],
  "editor.mend": ["Some things are not right yet: look at what is marked.", "修正が必要な箇所があります。印のついた項目を確認してください。"],
});

/** @typedef {{base: any, draft: any}} Work */

/** What is not saved yet, by person and page. @type {Map<string, Work>} */
const drafts = new Map();

/** @param {BeforeUnloadEvent} event */
const ask = (event) => event.preventDefault();

function watch() {
  if (drafts.size > 0) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
}

/**
 * @template T
 * @typedef {{
 *   key: string, title: (draft: T) => string,
 *   read: (floor: any) => T | null,
 *   body: (draft: T, again: () => void) => import("../../element.js").Child[],
 *   write: (draft: T) => {method: "POST" | "PUT", path: string, body: unknown},
 *   right?: (draft: T) => boolean, changed?: () => void, words?: (field: string) => string, refused?: (problem: Refused) => boolean, saved?: (answer: any) => void,
 * }} Edited `read` takes the part out of the floor; `right` says whether it may be sent; `refused` shows a refusal at its place;
 * `words` names a field that has no input of its own
 */

/**
 * Shows an editor. The floor has been read.
 * @template T
 * @param {Element} into @param {Edited<T>} of
 */
export function edit(into, of) {
  const place = `${who().login} ${of.key}`;
  const now = of.read(floor.value);
  if (now === null) return replace(into, h("p.failed", { role: "alert" }, t("editor.unknown")));
  /** @type {Work} */
  let work = { base: now, draft: structuredClone(now) };
  const title = h("h2");
  const content = h("div.edited");
  const unsaved = h("span.unsaved", { hidden: true }, t("editor.unsaved"));
  const notice = h("p.warning", { role: "status", hidden: true, data: { notice: "changed" } });
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const save = /** @type {HTMLButtonElement} */ (h("button.primary", { type: "submit", data: { action: "save", key: "save" } }, t("save")));
  const discard = h("button", { type: "button", hidden: true, data: { action: "discard" }, onclick: () => {
    drafts.delete(place);
    watch();
    begin(/** @type {T} */ (of.read(floor.value)), structuredClone(of.read(floor.value)));
  } }, t("editor.discard"));
  const form = /** @type {HTMLFormElement} */ (h("form.editor", { novalidate: true, data: { editor: of.key }, onsubmit: submit },
    title, content, h("div.bar", null, notice, wrong, save, discard, unsaved)));

  /** @param {any} base @param {any} draft */
  function begin(base, draft) {
    work = { base, draft };
    wrong.hidden = true;
    notice.hidden = true;
    render();
  }

  function render() {
    replace(content, of.body(work.draft, () => { render(); note(); }));
    note();
  }

  /** What changed is kept; what is as it was is not. */
  function note() {
    const dirty = !same(work.base, work.draft);
    if (dirty) drafts.set(place, work);
    else drafts.delete(place);
    watch();
    unsaved.hidden = !dirty;
    discard.hidden = !dirty;
    title.textContent = of.title(work.draft);
    of.changed?.();
  }

  /** The floor is another now: the two are put together. */
  function meet() {
    /** @type {string[]} */
    const both = [];
    const theirs = of.read(floor.value);
    const draft = theirs === null ? work.draft : merge(work.base, work.draft, theirs, both);
    begin(theirs ?? work.base, draft);
    if (both.length > 0) {
      notice.hidden = false;
      notice.textContent = t("editor.both").replace("{}", [...new Set(both.map(named))].join(", "));
    }
  }

  /** A field as the page calls it. @param {string} path */
  function named(path) {
    const input = /** @type {HTMLInputElement | null} */ (content.querySelector(`[name="${CSS.escape(path)}"]`));
    return input?.labels?.[0]?.textContent ?? of.words?.(path.split(".")[0]) ?? path;
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    wrong.hidden = true;
    if (!form.reportValidity()) return;
    if (of.right && !of.right(work.draft)) return say(t("editor.mend"));
    // The floor may have been read anew for something else of this page.
    const theirs = of.read(floor.value);
    if (theirs !== null && !same(work.base, theirs)) {
      meet();
      return say(t("administration.changed"));
    }
    save.disabled = true;
    const { method, path, body } = of.write(work.draft);
    try {
      const answer = await floor.write(method, path, body);
      drafts.delete(place);
      watch();
      tell(t("saved"));
      if (of.saved) return of.saved(answer);
      begin(of.read(floor.value), structuredClone(of.read(floor.value)));
    } catch (problem) {
      if (problem instanceof Changed) meet();
      else if (problem instanceof Refused && of.refused?.(problem)) return;
      else if (!(problem instanceof Refused) && !(problem instanceof Unreachable)) console.error(problem);
      say(wordsOf(problem));
    } finally {
      save.disabled = false;
    }
  }

  /** @param {string} text */
  function say(text) {
    wrong.hidden = false;
    wrong.textContent = text;
  }

  form.addEventListener("input", note);
  form.addEventListener("change", note);
  const kept = drafts.get(place);
  replace(into, form);
  if (kept) {
    work = kept;
    meet();
  } else {
    begin(now, structuredClone(now));
  }
}

/** What of a path is not saved yet. @param {string} key */
export function isUnsaved(key) {
  return drafts.has(`${who().login} ${key}`);
}
