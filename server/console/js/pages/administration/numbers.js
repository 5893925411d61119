// A service's outgoing numbers (P7) and favourites (P11).

import { h, field } from "../../element.js";
import { addWords, t } from "../../words.js";
import { Bound, focus, move } from "./bound.js";

addWords({
  "outgoing.hint": ["Only Confirmed numbers can be used, in this order; the first is preselected.", "「確認済」の番号のみ、この順番で使用できます。先頭が初期選択になります。"],
  "outgoing.state": ["State", "状態"],
  "outgoing.new": ["New", "申請中"],
  "outgoing.confirmed": ["Confirmed", "確認済"],
  "outgoing.rejected": ["Rejected", "却下"],
  "outgoing.per_hour": ["Most dials an hour", "1時間の発信上限"],
  "outgoing.per_day": ["Most dials a day", "1日の発信上限"],
  "outgoing.no-cap": ["no limit", "制限なし"],
  "outgoing.add": ["Add a number", "番号を追加"],
  "favourites.hint": ["Transfer numbers that every operator of the service is offered.", "サービスの全オペレーターが転送先として選べる番号です。"],
  "entry.up": ["Up", "上へ"],
  "entry.down": ["Down", "下へ"],
});

const NUMBER = { type: "tel", maxlength: 32 };

/**
 * A list whose entries can be moved, removed and added.
 * @template T
 * @param {{of: T[], key: string, text: string, hint?: string, add: string, fresh: () => T, again: () => void,
 *          entry: (it: T, at: number) => import("../../element.js").Child[], name: (it: T) => string}} list
 */
export function entries({ of, key, text, hint, add, fresh, again, entry, name }) {
  // The focus goes with what was moved.
  const button = (/** @type {string} */ word, /** @type {string} */ sign, /** @type {T} */ it, /** @type {number} */ at, /** @type {() => unknown} */ press, to = at, off = false) =>
    h("button.quiet", {
      type: "button", disabled: off, "aria-label": `${t(word)}: ${name(it)}`, title: t(word), data: { key: `${key}-${at}-${word}` },
      onclick: () => {
        press();
        again();
        focus(`${key}-${to}-${word}`, `${key}-${to}-entry.up`, `${key}-${to}-entry.down`, `add-${key}`);
      },
    }, sign);
  return h("fieldset.card", { data: { entries: key } }, h("legend", null, text), hint && h("p.small", null, hint),
    h("ol.entries", null, of.map((it, at) => h("li.inline", { data: { entry: at } }, entry(it, at),
      h("span.moves", null,
        button("entry.up", "↑", it, at, () => move(of, at, at - 1), at - 1, at === 0),
        button("entry.down", "↓", it, at, () => move(of, at, at + 1), at + 1, at === of.length - 1),
        button("remove", "×", it, at, () => of.splice(at, 1)))))),
    h("button", { type: "button", data: { action: `add-${key}`, key: `add-${key}` }, onclick: () => { of.push(fresh()); again(); } }, add));
}

/** @param {any[]} of @param {() => void} again */
export function outgoing(of, again) {
  return entries({
    of, key: "outgoing", text: t("service.part.outgoing"), hint: t("outgoing.hint"), add: t("outgoing.add"), again,
    fresh: () => ({ number: "", state: "new", per_hour: null, per_day: null }), name: (it) => it.number,
    entry(it, at) {
      const one = new Bound(it, `outgoing-${at}`);
      return [field(t("number"), one.text("number", NUMBER)),
        field(t("outgoing.state"), one.choice("state", ["new", "confirmed", "rejected"].map((state) => [state, t(`outgoing.${state}`)]))),
        ["per_hour", "per_day"].map((key) => field(t(`outgoing.${key}`), one.whole(key, { optional: true, placeholder: t("outgoing.no-cap") })))].flat();
    },
  });
}

/** @param {any[]} of @param {() => void} again */
export function favourites(of, again) {
  return entries({
    of, key: "favourites", text: t("service.part.favourites"), hint: t("favourites.hint"), add: t("outgoing.add"), again,
    fresh: () => ({ name: "", number: "" }), name: (it) => it.name,
    entry(it, at) {
      const one = new Bound(it, `favourite-${at}`);
      return [field(t("name"), one.text("name")), field(t("number"), one.text("number", NUMBER))];
    },
  });
}
