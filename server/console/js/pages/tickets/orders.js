// What is done to a ticket, or to many: statuses with their resolutions, handing on.

import { field, h, select, values } from "../../element.js";
import { dialog } from "../../dialog.js";
import { addWords, t } from "../../words.js";
import { operatorOptions, origin, queueOptions } from "../shared/say.js";

addWords({
  "order.status": ["Set status", "ステータス変更"],
  "order.resolution": ["Resolution", "解決理由"],
  "order.resolution.hint": ["Internal ones need no required fields", "内部処理の場合、必須項目は不要"],
  "resolution.answered": ["Answered", "回答済み"],
  "resolution.by-call": ["By call", "電話で対応"],
  "resolution.by-chat": ["By chat", "チャットで対応"],
  "resolution.spam": ["Internal: spam", "内部処理: 迷惑"],
  "resolution.abuse": ["Internal: abuse", "内部処理: 暴言"],
  "resolution.test": ["Internal: test", "内部処理: テスト"],
  "resolution.duplicate": ["Internal: duplicate", "内部処理: 重複"],
  "order.forward": ["Forward", "引き継ぎ"],
  "order.forward.to": ["To", "引き継ぎ先"],
  "order.forward.operator": ["An operator", "オペレーター"],
  "order.forward.queue": ["A queue", "キュー"],
  "order.forward.nobody": ["Nobody: to be pulled", "担当者なし"],
  "order.pull": ["Keep", "担当する"],
  "order.priority": ["Set priority", "優先度変更"],
});

export const RESOLUTIONS = ["answered", "by-call", "by-chat", "spam", "abuse", "test", "duplicate"];

/** Where a ticket may go from each status: the engine's table. */
export const NEXT = /** @type {Record<string, string[]>} */ ({
  new: ["open", "pending", "solved"],
  open: ["pending", "solved"],
  pending: ["open", "solved"],
  solved: ["open"],
  closed: [],
});

/** The resolution that is likely for how a ticket came. @param {any} from the ticket's origin */
export function likelyResolution(from) {
  const { channel } = origin(from);
  return channel === "chat" ? "by-chat" : channel.startsWith("phone") ? "by-call" : "answered";
}

/** @param {string} [chosen] */
export function resolutionField(chosen) {
  return field(t("order.resolution"), select({ name: "resolution" }, RESOLUTIONS.map((it) => [it, t(`resolution.${it}`)]), chosen), t("order.resolution.hint"));
}

/**
 * Asks whom or where to hand on to.
 * @param {(to: unknown) => unknown | Promise<unknown>} forward is given the body of `POST /tickets/{ticket}/forward`
 * @param {any} [ticket] of whose service the queues are, and whose owner is not offered; without it all are
 */
export function forwardDialog(forward, ticket) {
  const queues = queueOptions("ticket", ticket?.service);
  const operators = operatorOptions().filter(([it]) => it !== ticket?.owner);
  const operator = field(t("shared.operator"), select({ name: "operator" }, operators));
  const queue = field(t("shared.queue"), select({ name: "queue" }, queues));
  const turn = () => {
    const to = /** @type {HTMLInputElement} */ (kinds.querySelector("input:checked")).value;
    operator.hidden = to !== "operator";
    queue.hidden = to !== "queue";
  };
  const kind = (/** @type {string} */ name, /** @type {boolean} */ checked) => h("label.choice", null,
    h("input", { type: "radio", name: "to", value: name, checked, autofocus: checked }), t(`order.forward.${name}`));
  const kinds = h("fieldset", { onchange: turn }, h("legend", null, t("order.forward.to")),
    kind("operator", true), queues.length > 0 && kind("queue", false), kind("nobody", false));
  dialog({
    title: t("order.forward"),
    key: "forward",
    content: [kinds, operator, queue],
    actions: [{ text: t("order.forward"), name: "forward", kind: "primary" }],
    submit: (form) => {
      const { to, operator, queue } = values(form);
      return /** @type {Promise<unknown>} */ (forward(to === "nobody" ? "nobody" : to === "queue" ? { queue: Number(queue) } : { operator: Number(operator) }));
    },
  });
  turn();
}

/** Asks why a ticket is solved. @param {string} likely @param {(resolution: string) => Promise<unknown>} solve */
export function solveDialog(likely, solve) {
  dialog({
    title: t("ticket-status.solved"),
    key: "solve",
    content: [resolutionField(likely)],
    actions: [{ text: t("ticket-status.solved"), name: "solve", kind: "primary" }],
    submit: (form) => solve(values(form).resolution),
  });
}
