// A new ticket, of whatever came by mail, web form or word of mouth.

import { get, post } from "../../api.js";
import { field, h, replace, select, values } from "../../element.js";
import { attempt, dialog, wordsOf } from "../../dialog.js";
import { addWords, t } from "../../words.js";
import { wanted } from "../customers/find.js";
import { queueOptions, serviceOptions } from "../shared/say.js";
import { customInput, tagsOf } from "./inputs.js";
import { categoryOptions, lists } from "./lists.js";

addWords({
  "new-ticket.title": ["New ticket", "新規チケット"],
  "new-ticket.subject": ["Subject", "件名"],
  "new-ticket.description": ["Description", "内容"],
  "new-ticket.category": ["Category", "カテゴリ"],
  "new-ticket.priority": ["Priority", "優先度"],
  "new-ticket.priority.hint": ["Greater goes first: 0 to 255", "大きいほど優先: 0~255"],
  "new-ticket.tags": ["Tags", "タグ"],
  "new-ticket.no-queue": ["No queue: to be pulled", "キューなし(手動で担当)"],
  "new-ticket.make": ["Make ticket", "作成"],
  "new-ticket.customer.find": ["Find by number or name", "番号または名前で検索"],
  "new-ticket.customer.none": ["No customer", "顧客なし"],
  "new-ticket.customer.not-found": ["No customer is found so", "該当する顧客はいません"],
});

/** A customer to choose: those that were found, the first one chosen. @param {any} [customer] */
function customerPicker(customer) {
  const named = (/** @type {any} */ it) => /** @type {[number, string]} */ ([it.id, [it.name, it.numbers[0]].filter(Boolean).join(" · ") || String(it.id)]);
  const choice = h("div");
  const offer = (/** @type {any[]} */ found) => replace(choice, select({ name: "customer", "aria-label": t("shared.customer") },
    [["", t("new-ticket.customer.none")], ...found.map(named)], found[0]?.id));
  const said = h("small", { role: "status" });
  let last = "";
  const find = async (/** @type {string} */ text) => {
    last = text;
    said.textContent = "";
    if (text.length < 2) return;
    try {
      const { items } = await get("/customers", { ...wanted(text), limit: 20 });
      // Somebody has typed on meanwhile.
      if (last !== text) return;
      if (items.length > 0) offer(items);
      else said.textContent = t("new-ticket.customer.not-found");
    } catch (problem) {
      if (last === text) said.textContent = wordsOf(problem);
    }
  };
  let timer = 0;
  offer(customer ? [customer] : []);
  return h("div.field", null,
    field(t("shared.customer"), h("input", { type: "search", autocomplete: "off", placeholder: t("new-ticket.customer.find"), maxlength: 200,
      oninput: (/** @type {Event} */ event) => {
        const text = /** @type {HTMLInputElement} */ (event.target).value.trim();
        clearTimeout(timer);
        timer = setTimeout(() => find(text), 250);
      } })),
    choice, said);
}

/** Values of custom fields, by their numbers; empty ones left out. @param {any[]} fields @param {Record<string, any>} all */
function customValues(fields, all) {
  const given = fields.map((it) => {
    const value = all[`field-${it.id}`];
    return [it.id, value === true ? "true" : value === false ? "" : value];
  });
  return Object.fromEntries(given.filter(([, value]) => value !== "" && value !== undefined));
}

/** Opens the dialog; then the ticket's page. @param {{customer?: any}} [of] */
export async function newTicket(of = {}) {
  const all = await attempt(() => lists());
  if (!all) return;
  const { categories, fields } = /** @type {import("./lists.js").Lists} */ (all);
  const custom = fields.filter((it) => !it.retired);
  const queue = h("div");
  const service = /** @type {HTMLSelectElement} */ (select({ name: "service", onchange: () => queues() }, serviceOptions()));
  const queues = () => replace(queue, field(t("shared.queue"), select({ name: "queue" },
    [["", t("new-ticket.no-queue")], ...queueOptions("ticket", Number(service.value))])));
  queues();
  dialog({
    title: t("new-ticket.title"),
    key: "new-ticket",
    wide: true,
    content: [
      field(t("new-ticket.subject"), h("input", { name: "subject", required: true, maxlength: 200, autofocus: true, autocomplete: "off" })),
      field(t("new-ticket.description"), h("textarea", { name: "description", rows: 5, maxlength: 20_000 })),
      h("div.three", null,
        h("div", null, field(t("shared.service"), service), queue, customerPicker(of.customer)),
        h("div", null,
          field(t("new-ticket.category"), select({ name: "category" }, [["", t("none")], ...categoryOptions(categories)])),
          field(t("new-ticket.priority"), h("input", { name: "priority", type: "number", min: 0, max: 255, value: 0 }), t("new-ticket.priority.hint")),
          field(t("new-ticket.tags"), h("input", { name: "tags", autocomplete: "off" }), t("input.tags.hint"))),
        h("div", null, custom.map((it) => field(it.name, customInput(it, { name: `field-${it.id}` }))))),
    ],
    actions: [{ text: t("new-ticket.make"), name: "make", kind: "primary" }],
    submit: async (form) => {
      const given = values(form);
      const number = (/** @type {string} */ text) => (text === "" ? null : Number(text));
      const made = await post("/tickets", {
        service: Number(given.service), queue: number(given.queue), customer: number(given.customer), category: number(given.category),
        priority: Number(given.priority), subject: given.subject, description: given.description, tags: tagsOf(given.tags),
        fields: customValues(custom, given),
      });
      location.hash = `#/tickets/${made.id}`;
    },
  });
}
