// Everything that happened to a ticket, the newest at the bottom: its own lines, its call and its chat, in one order.

import { h } from "../../element.js";
import { names } from "../../session.js";
import { moment } from "../../time.js";
import { addWords, t } from "../../words.js";
import { moments } from "../calls/moments.js";
import { callLink, origin, owner, parts, say, ticketLink } from "../shared/say.js";

addWords({
  "line.created": ["Made from: {channel}. Owner: {owner}", "作成: {channel}。担当: {owner}"],
  "line.status": ["{from} → {to}", "{from} → {to}"],
  "line.status.resolution": ["{from} → {to}: {resolution}", "{from} → {to}: {resolution}"],
  "line.owner": ["Owner: {from} → {to}", "担当: {from} → {to}"],
  "line.priority": ["Priority {priority}", "優先度 {priority}"],
  "line.queued": ["Waits in {queue}", "「{queue}」で待ち"],
  "line.assigned": ["{queue} gave it to {operator}", "「{queue}」から {operator} に割り当て"],
  "line.returned": ["Not worked on in time: back to {queue}", "期限内に着手されず「{queue}」へ戻りました"],
  "line.dial-failed.busy": ["The dial failed: busy", "発信失敗: 話し中"],
  "line.dial-failed.no-answer": ["The dial failed: no answer", "発信失敗: 応答なし"],
  "line.dial-failed.failed": ["The dial failed: not reachable", "発信失敗: 接続不可"],
  "line.replied": ["{operator} replied", "{operator} が返信"],
  "line.customer-replied": ["The customer wrote", "顧客から連絡"],
  "line.changed": ["Changed: {what}", "変更: {what}"],
  "line.absorbed": ["{other} became part of this", "{other} を統合"],
  "line.merged-into": ["Became part of {other}", "{other} に統合"],
  "line.linked": ["Linked with {other}", "{other} と関連付け"],
  "line.rated": ["The customer's score: {score} of 5", "顧客評価: 5点中 {score}"],
  "line.escalated": ["Escalated to {service}: issue {other}", "{service} へエスカレーション: {other}"],
  "line.escalated-from": ["Escalated from {other}", "{other} からのエスカレーション"],
  "line.issue-settled.solved": ["Issue {other} is solved. {reason}", "エスカレーション {other} は解決。{reason}"],
  "line.issue-settled.refused": ["Issue {other} is refused. {reason}", "エスカレーション {other} は却下。{reason}"],
  "line.issue-reopened": ["Issue {other} is open again", "エスカレーション {other} を再オープン"],
  "line.kept.other-issue": ["The status stays: another issue is open", "他のエスカレーションが対応中のため状態は変わりません"],
  "line.kept.solved": ["The ticket was solved already", "チケットは解決済みです"],
  "line.kept.closed": ["The ticket is closed for good", "チケットは完了済みです"],
  "line.kept.field-required": ["It cannot be solved without a field that is empty", "必須項目が空欄のため解決にできません"],
  "line.attached": ["File from the customer: {name}", "顧客の添付ファイル: {name}"],
  "line.first-response-late": ["The first reply is late", "初回返信の期限を超過"],
  "line.resolution-late": ["The resolution is late", "解決の期限を超過"],
  "line.description": ["Description", "内容"],
  "line.note": ["Note", "社内メモ"],
  "line.reply": ["Reply", "返信"],
  "line.customer-reply": ["Customer", "顧客"],
  "line.field": ["field “{name}”", "項目「{name}」"],
  "line.what.subject": ["subject", "件名"],
  "line.what.tags": ["tags", "タグ"],
  "line.what.category": ["category", "カテゴリ"],
  "line.what.customer": ["customer", "顧客"],
  "line.account": ["Account {account}", "アカウント {account}"],
  "line.chat.answered": ["{operator} took the chat", "{operator} がチャットを開始"],
  "line.chat.transferred": ["The chat was handed on", "チャットを引き継ぎ"],
  "line.chat.ended": ["The chat ended", "チャット終了"],
  "line.chat.customer": ["Customer (chat)", "顧客(チャット)"],
  "line.chat.operator": ["{operator} (chat)", "{operator}(チャット)"],
  "line.older": ["Older lines are not shown.", "これより古い履歴は表示されません。"],
});

/** Lines that the server gives at most. */
const MOST_LINES = 500;
const TEXTS = ["description", "note", "reply", "customer-reply"];

/** Names of accounts that lines name by number, as tickets told them. @type {Map<number, string>} */
const accounts = new Map();

/** @param {any} line */
function author(line) {
  if (line.by === null || line.by === undefined) return "";
  return accounts.get(line.by) ?? say("line.account", { account: line.by });
}

/** @typedef {{at_us: number, key: string, element: () => HTMLElement}} Entry */

/** @param {string} kind @param {number} at @param {string} who @param {string} text */
function written(kind, at, who, text) {
  return h(`li.written.${kind}`, { data: { line: kind } },
    h("div.by", null, h("strong", null, t(`line.${kind}`)), who && ` · ${who}`, " ", h("time", null, moment(at))),
    h("div.text", null, text));
}

/** @param {number} at @param {string} source @param {string} kind @param {import("../../element.js").Child[]} children */
function happened(at, source, kind, children) {
  return h("li.happened", { data: { source, line: kind } }, h("time", null, moment(at)), h("span", null, children));
}

/** A line that is no text, in words. @param {any} line @param {any[]} fields */
function words(line, fields) {
  const status = (/** @type {string} */ it) => t(`ticket-status.${it}`);
  switch (line.line) {
    case "created": {
      const { channel, reference } = origin(line.origin);
      return [...parts("line.created", { channel: t(`channel.${channel}`), owner: owner(line.owner) }),
        reference && channel !== "chat" ? h("span", null, " ", callLink(Number(reference.split("-")[0]))) : null];
    }
    case "status":
      return parts(line.resolution ? "line.status.resolution" : "line.status",
        { from: status(line.from), to: status(line.to), resolution: line.resolution ? t(`resolution.${line.resolution}`) : "" });
    case "owner": return parts("line.owner", { from: owner(line.from), to: owner(line.to) });
    case "dial-failed": return [t(`line.dial-failed.${line.cause}`)];
    case "changed": {
      const what = line.what.map((/** @type {string} */ it) => (it.startsWith("field ")
        ? say("line.field", { name: fields.find((field) => `field ${field.id}` === it)?.name ?? it.slice(6) }) : t(`line.what.${it}`)));
      return parts("line.changed", { what: what.join(", ") });
    }
    case "absorbed": case "merged-into": case "linked": return parts(`line.${line.line}`, { other: ticketLink(line.other) });
    case "escalated": return parts("line.escalated", { service: names.service(line.service), other: ticketLink(line.issue) });
    case "escalated-from": return parts("line.escalated-from", { other: ticketLink(line.other) });
    case "issue-settled":
      return [...parts(`line.issue-settled.${line.verdict}`, { other: ticketLink(line.issue), reason: line.reason }),
        line.kept && h("small", null, ` ${t(`line.kept.${line.kept}`)}`)];
    case "issue-reopened": return parts("line.issue-reopened", { other: ticketLink(line.issue) });
    case "attached": return parts("line.attached", { name: line.name });
    default:
      return parts(`line.${line.line}`, { queue: names.queue(line.queue), operator: names.operator(line.operator), priority: line.priority, score: line.score });
  }
}

/** @param {any[]} lines @param {any[]} fields @returns {Entry[]} */
function ofTicket(lines, fields) {
  return lines.filter((line, at) => {
    // A reply is a fact and its text: one entry.
    const text = line.line === "replied" ? "reply" : line.line === "customer-replied" ? "customer-reply" : null;
    return text === null || !lines.slice(at + 1, at + 4).some((it) => it.line === text && it.at_us === line.at_us);
  }).map((line) => ({
    at_us: line.at_us,
    key: `line-${line.id}`,
    element: () => {
      const by = author(line);
      if (TEXTS.includes(line.line)) return written(line.line, line.at_us, line.line === "customer-reply" ? "" : by, line.text);
      return happened(line.at_us, "ticket", line.line, [...words(line, fields), by && !["replied", "assigned"].includes(line.line) ? h("small", null, ` · ${by}`) : null]);
    },
  }));
}

/** What a ticket's own lines, or the next moment, say already. @param {any} moment */
function told(moment) {
  return moment.event === "ticket-created" || (moment.event === "offer-ended" && moment.end === "accepted");
}

/** @param {any} record @returns {Entry[]} */
function ofCall(record) {
  const all = moments((record.timeline ?? []).filter((/** @type {any} */ it) => !told(it)));
  return all.map((it, at) => ({
    at_us: it.at_us,
    key: `call-${record.id}-${at}`,
    element: () => happened(it.at_us, "call", it.kind, [it.text]),
  }));
}

/** @param {any[]} chat lines of the chat @returns {Entry[]} */
function ofChat(chat) {
  return chat.map((line) => ({
    at_us: line.at_us,
    key: `chat-${line.sequence}`,
    element: () => {
      const operator = names.operator(line.operator);
      if (line.line) return happened(line.at_us, "chat", line.line, [say(`line.chat.${line.line}`, { operator })]);
      const kind = line.from === "customer" ? "customer-reply" : "reply";
      return h(`li.written.${kind}`, { data: { line: `chat-${line.from}`, source: "chat" } },
        h("div.by", null, h("strong", null, say(`line.chat.${line.from}`, { operator })), " ", h("time", null, moment(line.at_us))),
        h("div.text", null, line.text));
    },
  }));
}

export class Timeline {
  constructor() {
    this.list = h("ol.timeline", { data: { key: "timeline" } });
    this.older = h("p.small", { hidden: true }, t("line.older"));
    this.element = h("div", null, this.older, this.list);
    /** @type {string[]} */
    this.shown = [];
    this.known = accounts.size;
  }

  /** Shows what there is: what is new is added below; only where something belongs between is all of it made anew.
   * @param {{lines: any[], fields: any[], calls: any[], chat: any[], accounts: Record<string, string>}} of */
  take({ lines, fields, calls, chat, accounts: named }) {
    for (const [account, name] of Object.entries(named ?? {})) accounts.set(Number(account), name);
    const entries = [...ofTicket(lines, fields), ...calls.flatMap(ofCall), ...ofChat(chat)].sort((a, b) => a.at_us - b.at_us);
    const keys = entries.map((it) => it.key);
    this.older.hidden = lines.length < MOST_LINES;
    if (this.known !== accounts.size || !this.shown.every((key, at) => keys[at] === key)) {
      this.known = accounts.size;
      this.list.replaceChildren();
      this.shown = [];
    }
    this.list.append(...entries.slice(this.shown.length).map((it) => it.element()));
    this.shown = keys;
  }
}
