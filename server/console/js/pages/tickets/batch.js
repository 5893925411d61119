// One change of many tickets: each has its own result, and those that were refused stay chosen.

import { post } from "../../api.js";
import { field, h, replace, select, values } from "../../element.js";
import { attempt, dialog, tell } from "../../dialog.js";
import { who } from "../../session.js";
import { addWords, t } from "../../words.js";
import { say, ticketLink } from "../shared/say.js";
import { forwardDialog, resolutionField } from "./orders.js";

addWords({
  "batch.chosen": ["{count} chosen", "{count} 件を選択中"],
  "batch.clear": ["Choose none", "選択解除"],
  "batch.done": ["{count} changed", "{count} 件を変更しました"],
  "batch.refused": ["{count} were refused", "{count} 件は変更できませんでした"],
  "batch.label": ["For all that are chosen", "選択したチケットの操作"],
});

/** Most tickets of one request. */
const MOST = 200;

export class Batch {
  /** @param {() => unknown} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Set<number>} */
    this.chosen = new Set();
    this.element = h("div.batch", { role: "group", "aria-label": t("batch.label"), hidden: true });
  }

  /** @param {number} id @param {boolean} chosen */
  choose(id, chosen) {
    if (chosen) this.chosen.add(id);
    else this.chosen.delete(id);
    this.render();
  }

  clear() {
    this.chosen.clear();
    this.render();
  }

  render() {
    const count = this.chosen.size;
    this.element.hidden = count === 0;
    const button = (/** @type {string} */ key, /** @type {string} */ text, /** @type {() => unknown} */ press) =>
      h("button", { type: "button", data: { key: `batch-${key}` }, onclick: press }, text);
    replace(this.element,
      h("strong", { role: "status" }, say("batch.chosen", { count })),
      who().operator !== null && button("pull", t("order.pull"), () => attempt(() => this.order("pull"))),
      button("status", `${t("order.status")} …`, () => this.askStatus()),
      button("forward", `${t("order.forward")} …`, () => forwardDialog((to) => this.order({ forward: to }))),
      button("priority", `${t("order.priority")} …`, () => this.askPriority()),
      h("button.quiet", { type: "button", data: { key: "batch-clear" }, onclick: () => {
        this.clear();
        this.changed();
      } }, t("batch.clear")));
  }

  askStatus() {
    const resolution = resolutionField();
    resolution.hidden = true;
    const status = select({ name: "status", onchange: (/** @type {Event} */ event) => {
      resolution.hidden = /** @type {HTMLSelectElement} */ (event.target).value !== "solved";
    } }, ["open", "pending", "solved"].map((it) => [it, t(`ticket-status.${it}`)]));
    dialog({
      title: t("order.status"),
      key: "batch-status",
      content: [field(t("ticket-status"), status), resolution],
      submit: (form) => {
        const { status, resolution } = values(form);
        return this.order({ status: status === "solved" ? { status, resolution } : { status } });
      },
    });
  }

  askPriority() {
    dialog({
      title: t("order.priority"),
      key: "batch-priority",
      content: [field(t("new-ticket.priority"), h("input", { name: "priority", type: "number", min: 0, max: 255, value: 0, required: true, autofocus: true }), t("new-ticket.priority.hint"))],
      submit: (form) => this.order({ priority: Number(values(form).priority) }),
    });
  }

  /** @param {unknown} order the body's `order` of `POST /tickets/batch` */
  async order(order) {
    const all = [...this.chosen];
    const done = [];
    for (let from = 0; from < all.length; from += MOST) done.push(...await post("/tickets/batch", { tickets: all.slice(from, from + MOST), order }));
    const refused = done.filter((it) => it.refused);
    this.chosen = new Set(refused.map((it) => it.ticket));
    this.render();
    this.changed();
    if (refused.length < done.length) tell(say("batch.done", { count: done.length - refused.length }));
    if (refused.length > 0) {
      dialog({
        title: say("batch.refused", { count: refused.length }),
        key: "refused",
        content: [h("ul", null, refused.map((it) => h("li", null, ticketLink(it.ticket), ` ${it.refused.detail}`)))],
      });
    }
  }
}
