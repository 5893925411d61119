// What tickets are filled in with: categories, fields of one's own, templates of replies.

import { get, post, put, remove } from "../../api.js";
import { h, field, replace, select, values } from "../../element.js";
import { attempt, confirmed, dialog } from "../../dialog.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { check } from "./bound.js";
import { serviceOptions } from "./choices.js";

addWords({
  "administration.tickets": ["Tickets", "チケット"],
  "ticket-lists.categories": ["Categories", "カテゴリー"],
  "ticket-lists.under": ["Part of", "上位カテゴリー"],
  "ticket-lists.add-category": ["Add a category", "カテゴリーを追加"],
  "ticket-lists.fields": ["Fields", "項目"],
  "ticket-lists.add-field": ["Add a field", "項目を追加"],
  "ticket-lists.kind": ["Kind", "種類"],
  "ticket-lists.kind.text": ["Text", "テキスト"],
  "ticket-lists.kind.number": ["Whole number", "整数"],
  "ticket-lists.kind.date": ["Day", "日付"],
  "ticket-lists.kind.check": ["Yes or no", "はい・いいえ"],
  "ticket-lists.kind.choice": ["One of several", "選択肢"],
  "ticket-lists.most": ["Most characters", "最大文字数"],
  "ticket-lists.options": ["To choose from, one a line", "選択肢(1行に1つ)"],
  "ticket-lists.required": ["Must be filled before the ticket is solved", "解決前の入力を必須にする"],
  "ticket-lists.required.short": ["Required", "必須"],
  "ticket-lists.retired": ["No longer offered", "選択肢に出さない"],
  "ticket-lists.state": ["State", "状態"],
  "ticket-lists.in-use": ["In use", "使用中"],
  "ticket-lists.templates": ["Templates of replies", "返信テンプレート"],
  "ticket-lists.add-template": ["Add a template", "テンプレートを追加"],
  "ticket-lists.every-service": ["Every service", "すべてのサービス"],
  "ticket-lists.text": ["Text", "本文"],
  "ticket-lists.text.hint": ["{customer}, {ticket} and {operator} stand for what they say.", "{customer}、{ticket}、{operator} は顧客名・チケット番号・オペレーター名に置き換わります。"],
  "ticket-lists.remove-template": ["The template {} is removed.", "テンプレート {} を削除します。"],
  "ticket-lists.change": ["Change", "変更"],
});

/** @type {import("../administration.js").Section} */
export const ticketsSection = {
  key: "tickets",
  async open(into) {
    const place = new Place(() => list(() => attempt(() => place.refresh())));
    into.append(place.element);
    await place.show();
  },
};

/** @param {() => void} again */
async function list(again) {
  const [categories, fields, templates] = await Promise.all([get("/ticket-categories"), get("/ticket-fields"), get("/ticket-templates")]);
  const heading = (/** @type {string} */ key, /** @type {() => void} */ add) => h("div.heading", null, h("h2", null, t(`ticket-lists.${key}`)),
    h("button", { type: "button", data: { action: `add-${key}`, key: `add-${key}` }, onclick: add }, t({ categories: "ticket-lists.add-category", fields: "ticket-lists.add-field", templates: "ticket-lists.add-template" }[key] ?? "add")));
  const change = (/** @type {string} */ name, /** @type {() => void} */ open) =>
    h("button", { type: "button", "aria-label": `${t("ticket-lists.change")}: ${name}`, data: { action: "change" }, onclick: open }, t("ticket-lists.change"));
  const state = (/** @type {any} */ it) => t(it.retired ? "ticket-lists.retired" : "ticket-lists.in-use");
  return [
    heading("categories", () => category(null, categories, again)),
    table(t("ticket-lists.categories"), [t("name"), t("ticket-lists.state"), ""], categories.map((/** @type {any} */ it) => ({
      data: { category: it.id }, cells: [path(it, categories), state(it), change(it.name, () => category(it, categories, again))],
    })), { key: "categories" }),
    heading("fields", () => ownField(null, again)),
    table(t("ticket-lists.fields"), [t("name"), t("ticket-lists.kind"), t("ticket-lists.required.short"), t("ticket-lists.state"), ""], fields.map((/** @type {any} */ it) => ({
      data: { field: it.id },
      cells: [it.name, [t(`ticket-lists.kind.${it.kind.kind}`), it.kind.options && h("small.roomy", null, it.kind.options.join(", "))], t(it.required ? "yes" : "no"), state(it), change(it.name, () => ownField(it, again))],
    })), { key: "fields" }),
    heading("templates", () => template(null, again)),
    table(t("ticket-lists.templates"), [t("name"), t("service.one"), t("ticket-lists.text"), ""], templates.map((/** @type {any} */ it) => ({
      data: { template: it.id },
      cells: [it.name, it.service === null ? t("ticket-lists.every-service") : names.service(it.service), h("span.excerpt.roomy", null, it.text), h("span.moves", null,
        change(it.name, () => template(it, again)),
        h("button.danger", { type: "button", "aria-label": `${t("remove")}: ${it.name}`, onclick: async () => {
          if (!await confirmed(it.name, t("ticket-lists.remove-template").replace("{}", it.name), t("remove"))) return;
          await attempt(() => remove(`/ticket-templates/${it.id}`));
          again();
        } }, t("remove")))],
    })), { key: "templates" }),
  ];
}

/** A category with those above it. @param {any} it @param {any[]} all */
function path(it, all) {
  const found = [it.name];
  for (let up = it.under, n = 0; up && n < 20; n += 1) {
    const above = all.find((other) => other.id === up);
    if (!above) break;
    found.unshift(above.name);
    up = above.under;
  }
  return found.join(" › ");
}

/** Makes or changes one of a list. @param {string} list @param {any} it @param {any} body @param {() => void} again */
async function keep(list, it, body, again) {
  await (it ? put(`/${list}/${it.id}`, body) : post(`/${list}`, body));
  again();
}

const SAVE = () => [{ text: t("save"), kind: "primary" }];

/** @param {any} it `null` for a new one @param {any[]} all @param {() => void} again */
function category(it, all, again) {
  const others = all.filter((other) => other.id !== it?.id);
  dialog({
    title: t(it ? "ticket-lists.change" : "ticket-lists.add-category"),
    key: "category",
    content: [
      field(t("name"), h("input", { name: "name", required: true, maxlength: 60, value: it?.name ?? "" })),
      field(t("ticket-lists.under"), select({ name: "under" }, [["", t("none")], ...others.map((other) => /** @type {[number, string]} */ ([other.id, path(other, all)]))], it?.under ?? "")),
      it && check(t("ticket-lists.retired"), { name: "retired", checked: it.retired }),
    ],
    actions: SAVE(),
    submit: (form) => {
      const { name, under, retired = false } = values(form);
      return keep("ticket-categories", it, { name, under: under === "" ? null : Number(under), retired }, again);
    },
  });
}

/** @param {any} it `null` for a new one @param {() => void} again */
function ownField(it, again) {
  const more = h("div");
  const kind = /** @type {HTMLSelectElement} */ (select({ name: "kind", onchange: () => show() },
    ["text", "number", "date", "check", "choice"].map((key) => [key, t(`ticket-lists.kind.${key}`)]), it?.kind.kind ?? "text"));
  const show = () => replace(more,
    kind.value === "text" && field(t("ticket-lists.most"), h("input", { name: "most", type: "number", min: 1, max: 4000, required: true, value: it?.kind.most ?? 200 })),
    kind.value === "choice" && field(t("ticket-lists.options"), h("textarea", { name: "options", rows: 5, required: true, value: it?.kind.options?.join("\n") ?? "" })));
  show();
  dialog({
    title: t(it ? "ticket-lists.change" : "ticket-lists.add-field"),
    key: "field",
    content: [
      field(t("name"), h("input", { name: "name", required: true, maxlength: 60, value: it?.name ?? "" })),
      field(t("ticket-lists.kind"), kind), more,
      check(t("ticket-lists.required"), { name: "required", checked: it?.required }),
      it && check(t("ticket-lists.retired"), { name: "retired", checked: it.retired }),
    ],
    actions: SAVE(),
    submit: (form) => {
      const { name, kind: chosen, most, options, required, retired = false } = values(form);
      const own = chosen === "text" ? { most: Number(most) } : chosen === "choice" ? { options: options.split("\n").map((/** @type {string} */ line) => line.trim()).filter(Boolean) } : {};
      return keep("ticket-fields", it, { name, kind: { kind: chosen, ...own }, required, retired }, again);
    },
  });
}

/** @param {any} it `null` for a new one @param {() => void} again */
function template(it, again) {
  dialog({
    title: t(it ? "ticket-lists.change" : "ticket-lists.add-template"),
    key: "template",
    content: [
      field(t("name"), h("input", { name: "name", required: true, maxlength: 60, value: it?.name ?? "" })),
      field(t("service.one"), select({ name: "service" }, [["", t("ticket-lists.every-service")], ...serviceOptions()], it?.service ?? "")),
      field(t("ticket-lists.text"), h("textarea", { name: "text", rows: 8, required: true, value: it?.text ?? "" }), t("ticket-lists.text.hint")),
    ],
    actions: SAVE(),
    submit: (form) => {
      const { name, service, text } = values(form);
      return keep("ticket-templates", it, { name, service: service === "" ? null : Number(service), text }, again);
    },
  });
}
