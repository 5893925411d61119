// Calls in progress: where each is, since when, and what a supervisor can change of it.

import { put } from "../../api.js";
import { h, field, values } from "../../element.js";
import { dialog } from "../../dialog.js";
import { names, who } from "../../session.js";
import { ticking } from "../../time.js";
import { addWords, t } from "../../words.js";
import { partyWords } from "../../phone/phone.js";
import { supervisionButtons, supervisorTag } from "../../phone/supervision.js";
import { table } from "../supervision/table.js";
import { explainDialog } from "./explain.js";

addWords({
  "wallboard.customer": ["Customer", "顧客"],
  "wallboard.queue": ["Service, queue", "サービス・キュー"],
  "wallboard.place": ["Place", "状態"],
  "wallboard.operator": ["Operator", "オペレーター"],
  "wallboard.since": ["Since arrival", "着信から"],
  "wallboard.since-queued": ["Since queued", "待ち開始から"],
  "wallboard.priority": ["Priority", "優先度"],
  "wallboard.priority.hint": ["0 is ordinary; greater is more urgent, at most 255.", "0が通常、大きいほど優先されます(最大255)。"],
  "wallboard.priority.set": ["Change the priority", "優先度を変更"],
  "wallboard.inbound": ["in", "着信"],
  "wallboard.outbound": ["out", "発信"],
  "wallboard.why": ["Why?", "割り当ての理由"],
  "wallboard.oldest": ["The {} oldest of {}", "古い順に {} 件(全 {} 件)"],
  "wallboard.actions": ["Actions", "操作"],
});

/** Places at which a call is not yet answered. */
const UNANSWERED = ["flow", "waiting", "ringing"];
const QUEUED = ["waiting", "ringing"];

/** Most calls that are shown at once, the oldest. */
const SHOWN = 200;

/** @param {any[]} calls of `GET /calls` @param {() => Promise<unknown>} again */
export function callsTable(calls, again) {
  return [
    who().operator === null && h("p.small", null, t("supervision.no-operator")),
    rows(calls.slice(0, SHOWN), again),
    calls.length > SHOWN && h("p.small", null, t("wallboard.oldest").replace("{}", String(SHOWN)).replace("{}", String(calls.length))),
  ];
}

/** @param {any[]} calls @param {() => Promise<unknown>} again */
function rows(calls, again) {
  return table(t("wallboard.calls"),
    [t("wallboard.customer"), t("wallboard.queue"), t("wallboard.place"), t("wallboard.operator"),
      { text: t("wallboard.since"), figure: true }, { text: t("wallboard.since-queued"), figure: true }, { text: t("wallboard.priority"), figure: true }, t("wallboard.actions")],
    calls.map((call) => ({
      data: { call: call.call },
      cells: [
        [call.number ?? t("phone.no-number"), " ", h("span.tag", null, t(call.outbound ? "wallboard.outbound" : "wallboard.inbound"))],
        [names.service(call.service), call.queue !== null && ` · ${names.queue(call.queue)}`],
        h("span", { data: { place: call.place } }, t(`place.${call.place}`)),
        [names.operator(call.operator), call.target && ` → ${partyWords(call.target)}`, call.supervisor && " ", supervisorTag(call.supervisor)],
        ticking({ since: call.arrived_us }),
        call.queued_us !== null && UNANSWERED.includes(call.place) ? ticking({ since: call.queued_us }) : "",
        call.priority,
        [supervisionButtons(call, again), h("span.moves", null,
          UNANSWERED.includes(call.place) && h("button", { type: "button", data: { action: "priority", key: `priority-${call.call}` }, onclick: () => priority(call, again) }, t("wallboard.priority")),
          QUEUED.includes(call.place) && h("button", { type: "button", data: { action: "why", key: `why-${call.call}` }, onclick: () => explainDialog({ call: call.call }) }, t("wallboard.why")))],
      ],
    })), { key: "calls" });
}

/** @param {any} call @param {() => Promise<unknown>} again */
function priority(call, again) {
  dialog({
    title: t("wallboard.priority.set"),
    key: "priority",
    content: [field(t("wallboard.priority"),
      h("input", { name: "priority", type: "number", min: 0, max: 255, step: 1, required: true, value: call.priority, autofocus: true }), t("wallboard.priority.hint"))],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      await put(`/calls/${call.call}/priority`, { priority: Number(values(form).priority) });
      await again();
    },
  });
}
