// Reasons for Work and Break, in both languages (P15, P17).

import { get } from "../../api.js";
import { h, field, select, values } from "../../element.js";
import { attempt, dialog } from "../../dialog.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { check } from "./bound.js";
import { floor } from "./floor.js";

addWords({
  "administration.reasons": ["Reasons", "理由"],
  "reasons.of": ["Status", "ステータス"],
  "reasons.of.work": ["Work", "業務"],
  "reasons.of.break": ["Break", "休憩"],
  "reasons.of.system": ["given by the system", "システム"],
  "reasons.japanese": ["Japanese", "日本語"],
  "reasons.english": ["English", "英語"],
  "reasons.retired": ["No longer offered", "選択肢に出さない"],
  "reasons.state": ["State", "状態"],
  "reasons.in-use": ["In use", "使用中"],
  "reasons.add": ["Add a reason", "理由を追加"],
  "reasons.change": ["Change", "変更"],
});

/** @type {import("../administration.js").Section} */
export const reasonsSection = {
  key: "reasons",
  async open(into) {
    const place = new Place(() => list(() => attempt(() => place.refresh())));
    into.append(place.element);
    await place.show();
  },
};

/** @param {() => void} again */
async function list(again) {
  const found = await get("/floor/reasons");
  return [
    h("div.heading", null, h("h2", null, t("administration.reasons")),
      h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => change(null, again) }, t("reasons.add"))),
    table(t("administration.reasons"), [t("reasons.japanese"), t("reasons.english"), t("reasons.of"), t("reasons.state"), ""],
      found.map((/** @type {any} */ it) => ({
        data: { reason: it.reason },
        cells: [it.japanese, it.english, t(`reasons.of.${it.of}`), t(it.retired ? "reasons.retired" : "reasons.in-use"),
          // "No reason" is the engine's own.
          it.reason !== 0 && h("button", { type: "button", "aria-label": `${t("reasons.change")}: ${it.english}`, data: { action: "change" }, onclick: () => change(it, again) }, t("reasons.change"))],
      })), { key: "reasons" }),
  ];
}

/** @param {any} reason `null` for a new one @param {() => void} again */
function change(reason, again) {
  const system = reason?.of === "system";
  dialog({
    title: t(reason ? "reasons.change" : "reasons.add"),
    key: "reason",
    content: [
      field(t("reasons.japanese"), h("input", { name: "japanese", required: true, maxlength: 60, value: reason?.japanese ?? "", lang: "ja" })),
      field(t("reasons.english"), h("input", { name: "english", required: true, maxlength: 60, value: reason?.english ?? "", lang: "en" })),
      !system && field(t("reasons.of"), select({ name: "of" }, [["work", t("reasons.of.work")], ["break", t("reasons.of.break")]], reason?.of ?? "work")),
      !system && reason && check(t("reasons.retired"), { name: "retired", checked: reason.retired }),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { japanese, english, of = "system", retired = false } = values(form);
      const body = { of, japanese, english, retired };
      await (reason ? floor.write("PUT", `/floor/reasons/${reason.reason}`, body) : floor.write("POST", "/floor/reasons", body));
      again();
    },
  });
}
