// A form over something that others may change meanwhile (B17): what was typed stays, what others changed is shown, and
// nobody's change is written over unseen.

import { Refused } from "../../api.js";
import { field, h, replace } from "../../element.js";
import { tell, wordsOf } from "../../dialog.js";
import { addWords, t } from "../../words.js";

addWords({
  "versioned.conflict": ["Somebody else changed this meanwhile. Your text is kept.", "他の人が先に変更しました。入力内容は残っています。"],
  "versioned.other": ["Nothing that you have typed is concerned: look at it and save again.", "入力中の項目は変更されていません。確認してもう一度保存してください。"],
  "versioned.keep": ["Reload and keep my text", "再読み込みして自分の入力を残す"],
  "versioned.theirs": ["Take theirs", "相手の変更を採用"],
  "versioned.discard": ["Discard changes", "変更を破棄"],
  "versioned.unsaved": ["Not saved yet", "未保存"],
  "versioned.empty": ["empty", "空欄"],
});

/**
 * @typedef {{key: string, label: string, element: HTMLElement, hint?: string, read: () => string, write: (value: string) => void,
 *            words?: (value: string) => string}} VersionedField
 * @typedef {Record<string, string>} Shape
 */

/** A field with an input of one text. @param {string} key @param {string} label @param {HTMLElement} element
 * @param {{hint?: string, words?: (value: string) => string}} [more] @returns {VersionedField} */
export function plain(key, label, element, more = {}) {
  const input = /** @type {HTMLInputElement} */ (element);
  const check = input.type === "checkbox";
  return {
    key, label, element, ...more,
    read: () => (check ? (input.checked ? "true" : "") : input.value),
    write: (value) => {
      if (check) input.checked = value === "true";
      else input.value = value;
    },
  };
}

export class Versioned {
  /**
   * @param {{label: string, fields: VersionedField[], shape: (value: any) => Shape, value: any, etag: string | null,
   *          draft: import("./draft.js").Draft<any>, save: (changed: Shape) => unknown | Promise<unknown>, reread: () => Promise<unknown>}} of
   */
  constructor(of) {
    this.of = of;
    /** What the fields were filled from, and under which version. */
    this.base = of.shape(of.value);
    this.etag = of.etag;
    /** What others made of it, while it is undecided. @type {{shape: Shape, etag: string | null} | null} */
    this.theirs = null;
    this.notice = h("div.warning.conflict", { role: "alert", hidden: true, data: { key: "conflict" } });
    this.wrong = h("p.wrong", { role: "alert", hidden: true });
    this.submit = /** @type {HTMLButtonElement} */ (h("button.primary", { type: "submit", disabled: true, data: { key: "save" } }, t("save")));
    this.discard = h("button.quiet", { type: "button", hidden: true, data: { key: "discard" }, onclick: () => this.drop() }, t("versioned.discard"));
    this.element = h("form.versioned", {
      "aria-label": of.label, oninput: () => this.typed(), onchange: () => this.typed(),
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        this.send();
      },
    },
    this.notice, of.fields.map((it) => field(it.label, it.element, it.hint)), this.wrong,
    h("div.buttons", null, this.submit, this.discard));
    this.fill();
  }

  /** The fields as the server has them, and over them what was typed before a reload. */
  fill() {
    for (const it of this.of.fields) it.write(this.base[it.key] ?? "");
    const { values, base, etag } = this.of.draft.read();
    if (!values) return;
    const now = { shape: this.base, etag: this.etag };
    [this.base, this.etag] = [base, etag];
    for (const it of this.of.fields) it.write(values[it.key] ?? base[it.key] ?? "");
    this.merge(now);
    this.typed();
  }

  /** What differs from what the fields were filled from. @returns {Shape} */
  get changed() {
    const differing = this.of.fields.filter((it) => it.read() !== (this.base[it.key] ?? ""));
    return Object.fromEntries(differing.map((it) => [it.key, it.read()]));
  }

  typed() {
    const changed = this.changed;
    const dirty = Object.keys(changed).length > 0;
    this.submit.disabled = !dirty;
    this.discard.hidden = !dirty;
    this.element.dataset.dirty = String(dirty);
    this.of.draft.keep(dirty ? { values: changed, base: this.base, etag: this.etag } : { values: undefined, base: undefined, etag: undefined });
  }

  drop() {
    if (this.theirs) [this.base, this.etag] = [this.theirs.shape, this.theirs.etag];
    this.settle();
    for (const it of this.of.fields) it.write(this.base[it.key] ?? "");
    this.typed();
  }

  /** The newest that the server has. @param {any} value @param {string | null} etag */
  take(value, etag) {
    this.merge({ shape: this.of.shape(value), etag });
    this.typed();
  }

  /** Fields that nobody has typed in follow the server; where both changed one, somebody decides.
   * @param {{shape: Shape, etag: string | null}} newest */
  merge(newest) {
    const mine = this.changed;
    const both = this.of.fields.filter((it) => it.key in mine && newest.shape[it.key] !== this.base[it.key] && newest.shape[it.key] !== mine[it.key]);
    for (const it of this.of.fields) {
      if (it.key in mine) continue;
      if (it.read() !== newest.shape[it.key]) it.write(newest.shape[it.key] ?? "");
    }
    if (both.length > 0) {
      for (const it of this.of.fields) if (!(it.key in mine)) this.base = { ...this.base, [it.key]: newest.shape[it.key] };
      this.theirs = newest;
      this.tellConflict(both);
    } else {
      [this.base, this.etag] = [newest.shape, newest.etag];
      this.settle();
    }
  }

  settle() {
    this.theirs = null;
    this.notice.hidden = true;
  }

  /** @param {VersionedField[]} both */
  tellConflict(both) {
    const words = (/** @type {VersionedField} */ it, /** @type {string | undefined} */ value) => (value ? (it.words?.(value) ?? value) : t("versioned.empty"));
    this.notice.hidden = false;
    replace(this.notice,
      h("p", null, h("strong", null, t("versioned.conflict"))),
      both.length === 0 ? h("p", null, t("versioned.other"))
        : h("ul", null, both.map((it) => h("li", { data: { conflict: it.key } }, `${it.label}: `,
          h("del", null, words(it, this.base[it.key])), " → ", h("ins", null, words(it, this.theirs?.shape[it.key]))))),
      h("div.buttons", null,
        h("button.primary", { type: "button", data: { key: "keep-mine" }, onclick: () => this.decide(true) }, t("versioned.keep")),
        both.length > 0 && h("button", { type: "button", data: { key: "take-theirs" }, onclick: () => this.decide(false) }, t("versioned.theirs"))));
  }

  /** @param {boolean} mine */
  decide(mine) {
    const { theirs } = this;
    if (theirs) {
      if (!mine) for (const it of this.of.fields) if (theirs.shape[it.key] !== this.base[it.key]) it.write(theirs.shape[it.key] ?? "");
      [this.base, this.etag] = [theirs.shape, theirs.etag];
    }
    this.settle();
    this.typed();
    if (!this.submit.disabled) this.submit.focus();
  }

  async send() {
    this.wrong.hidden = true;
    this.submit.disabled = true;
    try {
      await this.of.save(this.changed);
      tell(t("saved"));
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 412) {
        await this.of.reread().catch(() => {});
        if (this.notice.hidden) this.tellConflict([]);
        this.notice.scrollIntoView({ block: "nearest" });
      } else {
        this.wrong.hidden = false;
        this.wrong.textContent = wordsOf(problem);
      }
    }
    this.typed();
  }

  /** What was typed is saved: this is what came of it. @param {any} value @param {string | null} etag */
  saved(value, etag) {
    [this.base, this.etag] = [this.of.shape(value), etag];
    this.settle();
    for (const it of this.of.fields) it.write(this.base[it.key] ?? "");
    this.typed();
  }
}
