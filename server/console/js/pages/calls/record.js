// One call record: its figures and everything that happened to the call.

import { get } from "../../api.js";
import { h } from "../../element.js";
import { names } from "../../session.js";
import { length, moment } from "../../time.js";
import { t } from "../../words.js";
import { customerLink, ticketLink } from "../shared/say.js";
import { moments } from "./moments.js";

/** Terms and what they are; those that are nothing are left out. @param {[string, import("../../element.js").Child | import("../../element.js").Child[]][]} pairs */
export function terms(pairs) {
  return h("dl.terms", null, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
    .map(([term, value]) => h("div", null, h("dt", null, term), h("dd", null, value))));
}

/** How a call ended, or that it has not. @param {any} record */
export function cause(record) {
  return h("span.tag", { data: { cause: record.cause ?? "live" } }, t(`cause.${record.cause ?? "live"}`));
}

/** Names of operators, in order. @param {number[]} operators */
export function people(operators) {
  return operators.map((operator) => names.operator(operator)).join(", ");
}

/** The figures of a record. @param {any} record */
export function figures(record) {
  return terms([
    [t("calls.direction"), t(record.outbound ? "shared.outbound" : "shared.inbound")],
    [t("calls.number"), record.number],
    [t("shared.customer"), record.customer === null ? null : customerLink(record.customer)],
    [t("shared.ticket"), record.ticket === null ? null : ticketLink(record.ticket)],
    [t("shared.service"), names.service(record.service)],
    [t("shared.queue"), names.queue(record.queue)],
    [t("calls.came"), moment(record.arrived_us)],
    [t("calls.over"), moment(record.ended_us)],
    [t("calls.end"), cause(record)],
    [t("calls.operators"), people(record.operators)],
    [t("calls.missed-by"), people(record.missed_by)],
    [t("calls.wait"), length(record.wait_us)],
    [t("calls.talk"), length(record.talk_us)],
    [t("calls.hold"), length(record.hold_us)],
    [t("calls.consult"), length(record.consult_us)],
  ]);
}

/** The page of a record. @param {string} id */
export async function recordPage(id) {
  const record = await get(`/call-records/${encodeURIComponent(id)}`);
  return [
    h("p", null, h("a", { href: "#/calls" }, `← ${t("shared.back")}`)),
    h("h1", null, `${t("shared.call")} ${record.id}`),
    h("div.beside", null,
      h("section.card", { "aria-label": t("calls.timeline") }, h("h2", null, t("calls.timeline")),
        h("ol.timeline", { data: { key: "timeline" } }, moments(record.timeline ?? []).map((it) =>
          h("li.happened", { data: { kind: it.kind } }, h("time", null, moment(it.at_us)), h("span", null, it.text))))),
      h("section.card", { "aria-label": t("calls.figures") }, h("h2", null, t("calls.figures")), figures(record))),
  ];
}
