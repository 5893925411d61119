// Sentences with something in them, and the words that several pages share.

import { h } from "../../element.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";

addWords({
  "ticket-status": ["Status", "ステータス"],
  "ticket-status.new": ["New", "新規"],
  "ticket-status.open": ["Open", "対応中"],
  "ticket-status.pending": ["Pending", "保留"],
  "ticket-status.solved": ["Solved", "解決済み"],
  "ticket-status.closed": ["Closed", "完了"],
  "channel.phone-in": ["Inbound call", "着信"],
  "channel.phone-out": ["Outbound call", "発信"],
  "channel.chat": ["Chat", "チャット"],
  "channel.voicemail": ["Voicemail", "留守番電話"],
  "channel.written": ["Written", "書面・Web"],
  "cause.abandoned-in-flow": ["Left during the guidance", "ガイダンス中に切断"],
  "cause.abandoned-in-queue": ["Left while waiting", "待ち中に放棄"],
  "cause.abandoned-while-ringing": ["Left while it rang", "呼出中に放棄"],
  "cause.customer-hung-up": ["Customer hung up", "顧客が切断"],
  "cause.operator-hung-up": ["Operator hung up", "オペレーターが切断"],
  "cause.forced-for-abuse": ["Forced end: abuse", "強制終了(暴言)"],
  "cause.forced-for-threat": ["Forced end: threat", "強制終了(脅迫)"],
  "cause.forced-for-other": ["Forced end: other", "強制終了(その他)"],
  "cause.flow-ended": ["The flow ended", "シナリオ終了"],
  "cause.queue-full": ["Queue full", "キュー満杯"],
  "cause.maximum-wait": ["Maximum wait passed", "最大待ち時間超過"],
  "cause.callback-accepted": ["Chose a callback", "コールバックを選択"],
  "cause.voicemail": ["Left a message", "留守番電話に録音"],
  "cause.forwarded": ["Forwarded outside", "外部へ転送"],
  "cause.transferred-out": ["Transferred outside", "外部へ引き継ぎ"],
  "cause.transfer-failed": ["Transfer failed", "転送失敗"],
  "cause.device-lost": ["Device lost", "電話機の切断"],
  "cause.dial-busy": ["Busy", "話し中"],
  "cause.dial-no-answer": ["No answer", "応答なし"],
  "cause.dial-failed": ["Not reachable", "接続不可"],
  "cause.dial-cancelled": ["Dial cancelled", "発信取消"],
  "cause.live": ["Live", "通話中"],
  "shared.nobody": ["Nobody", "担当者なし"],
  "shared.me": ["Me", "自分"],
  "shared.service": ["Service", "サービス"],
  "shared.queue": ["Queue", "キュー"],
  "shared.operator": ["Operator", "オペレーター"],
  "shared.customer": ["Customer", "顧客"],
  "shared.ticket": ["Ticket", "チケット"],
  "shared.call": ["Call", "通話"],
  "shared.state": ["State", "状態"],
  "shared.csv": ["CSV", "CSV"],
  "shared.filters": ["Filters", "絞り込み"],
  "shared.reset": ["Reset", "リセット"],
  "shared.previous": ["Previous", "前へ"],
  "shared.next": ["Next", "次へ"],
  "shared.page": ["Page {page}", "{page} ページ"],
  "shared.pages": ["Pages", "ページ"],
  "shared.back": ["Back to the list", "一覧へ戻る"],
  "shared.inbound": ["Inbound", "着信"],
  "shared.outbound": ["Outbound", "発信"],
  "shared.since": ["Since", "開始"],
});

export const TICKET_STATUSES = ["new", "open", "pending", "solved", "closed"];
export const CHANNELS = ["phone-in", "phone-out", "chat", "voicemail", "written"];
export const CAUSES = [
  "abandoned-in-flow", "abandoned-in-queue", "abandoned-while-ringing", "customer-hung-up", "operator-hung-up",
  "forced-for-abuse", "forced-for-threat", "forced-for-other", "flow-ended", "queue-full", "maximum-wait",
  "callback-accepted", "voicemail", "forwarded", "transferred-out", "transfer-failed", "device-lost", "dial-busy",
  "dial-no-answer", "dial-failed", "dial-cancelled",
];

/** A sentence with what stands for its `{words}`. @param {string} key @param {Record<string, string | number>} values */
export function say(key, values) {
  return t(key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** As `say`, where links and the like stand in the sentence. @param {string} key @param {Record<string, import("../../element.js").Child>} values */
export function parts(key, values) {
  return t(key).split(/(\{\w+\})/).filter(Boolean).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    return name === undefined ? part : values[name];
  });
}

/** @param {number} id @param {string} [text] */
export function ticketLink(id, text) {
  return h("a", { href: `#/tickets/${id}` }, text ?? `#${id}`);
}

/** @param {number} id @param {string} [text] */
export function customerLink(id, text) {
  return h("a", { href: `#/customers/${id}` }, text || `${t("shared.customer")} ${id}`);
}

/** @param {number} id */
export function callLink(id) {
  return h("a", { href: `#/calls/${id}` }, `${t("shared.call")} ${id}`);
}

/** Whose it is, in a word. @param {number | null | undefined} operator */
export function owner(operator) {
  return operator === null || operator === undefined ? t("shared.nobody") : names.operator(operator);
}

/** @param {string} status */
export function ticketStatus(status) {
  return h("span.tag.ticket-status", { data: { ticketStatus: status } }, t(`ticket-status.${status}`));
}

/** How a ticket came, and the reference of the call or chat. @param {any} origin @returns {{channel: string, reference: string | null}} */
export function origin(origin) {
  if (typeof origin === "string") return { channel: origin, reference: null };
  const [channel, reference] = Object.entries(origin)[0];
  return { channel, reference: String(reference) };
}

/** The running number of a `NUMBER-SLOT`. @param {string} reference */
export function numberOf(reference) {
  return Number(reference.split("-")[0]);
}

/** Operators to choose among, by name. @returns {[number, string][]} */
export function operatorOptions() {
  return [...names.operators].sort(([, a], [, b]) => a.localeCompare(b));
}

/** Queues to choose among. @param {string} [channel] @param {number} [service] @returns {[number, string][]} */
export function queueOptions(channel, service) {
  const all = [...names.queues].filter(([, queue]) =>
    (channel === undefined || queue.channel === channel) && (service === undefined || queue.service === service));
  return all.map(([number, queue]) => [number, queue.name]);
}

/** @returns {[number, string][]} */
export function serviceOptions() {
  return [...names.services];
}
