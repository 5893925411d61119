// What can be edited of a ticket: subject, category, priority, tags, custom fields.

import { exchange } from "../../api.js";
import { h, select } from "../../element.js";
import { addWords, t } from "../../words.js";
import { plain, Versioned } from "../shared/versioned.js";
import { customInput, customLabel, tagsOf } from "./inputs.js";
import { categoryName, categoryOptions } from "./lists.js";

addWords({
  "details.title": ["Details", "詳細"],
});

/** @param {import("./lists.js").Lists} lists @param {any} ticket */
function customFields(lists, ticket) {
  return lists.fields.filter((it) => !it.retired || it.id in ticket.fields);
}

/** The body of `PATCH /tickets/{ticket}` for fields that were changed. @param {Record<string, string>} changed */
function edit(changed) {
  /** @type {Record<string, any>} */
  const body = {};
  for (const [key, value] of Object.entries(changed)) {
    if (key === "tags") body.tags = tagsOf(value);
    else if (key === "category") body.category = Number(value || 0);
    else if (key === "priority") body.priority = Number(value || 0);
    else if (key === "subject") body.subject = value;
    else body.fields = { ...body.fields, [key.slice("field-".length)]: value };
  }
  return body;
}

/**
 * The form.
 * @param {{ticket: any, etag: string | null, lists: import("./lists.js").Lists, draft: import("../shared/draft.js").Draft<any>,
 *          saved: (ticket: any, etag: string | null) => void, reread: () => Promise<unknown>}} of
 */
export function detailsForm(of) {
  const { ticket, etag, lists } = of;
  const custom = customFields(lists, ticket);
  const category = select({}, [["", t("none")], ...categoryOptions(lists.categories, ticket.category)]);
  const form = new Versioned({
    label: t("details.title"),
    fields: [
      plain("subject", t("new-ticket.subject"), h("input", { maxlength: 200, autocomplete: "off", data: { key: "subject" } })),
      plain("category", t("new-ticket.category"), category, { words: (value) => categoryName(lists.categories, Number(value)) }),
      plain("priority", t("new-ticket.priority"), h("input", { type: "number", min: 0, max: 255, required: true }), { hint: t("new-ticket.priority.hint") }),
      plain("tags", t("new-ticket.tags"), h("input", { autocomplete: "off" }), { hint: t("input.tags.hint") }),
      ...custom.map((it) => plain(`field-${it.id}`, customLabel(it), customInput(it))),
    ],
    shape: (ticket) => ({
      subject: ticket.subject,
      category: String(ticket.category ?? ""),
      priority: String(ticket.priority),
      tags: ticket.tags.join(" "),
      ...Object.fromEntries(custom.map((it) => [`field-${it.id}`, it.kind.kind === "check" && ticket.fields[it.id] !== "true" ? "" : ticket.fields[it.id] ?? ""])),
    }),
    value: ticket, etag,
    draft: of.draft,
    save: async (changed) => {
      const saved = await exchange("PATCH", `/tickets/${ticket.id}`, { body: edit(changed), etag: form.etag });
      form.saved(saved.value, saved.etag);
      of.saved(saved.value, saved.etag);
    },
    reread: of.reread,
  });
  return form;
}
