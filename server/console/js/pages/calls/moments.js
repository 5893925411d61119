// What happened to a call, in words: every ring, hold, transfer and its end.

import { names } from "../../session.js";
import { length } from "../../time.js";
import { addWords, t } from "../../words.js";
import { say } from "../shared/say.js";

addWords({
  "moment.call-arrived": ["The call came in", "着信"],
  "moment.step-entered": ["Flow: step {step}", "シナリオ: ステップ {step}"],
  "moment.call-queued": ["Waits in {queue}", "「{queue}」で待ち"],
  "moment.queue-full": ["{queue} is full", "「{queue}」は満杯"],
  "moment.call-flowed-out": ["Left {queue} unanswered after {wait}", "「{queue}」を応答なしで離脱(待ち {wait})"],
  "moment.call-recovered": ["Back in {queue}, its place kept", "「{queue}」へ回収(順番は維持)"],
  "moment.needs-relaxed": ["The skills asked for were relaxed", "必要スキルを緩和"],
  "moment.offer-made": ["Rings at {operator}", "{operator} を呼出"],
  "moment.offer-ended.accepted": ["{operator} took it after {rang}", "{operator} が応答(呼出 {rang})"],
  "moment.offer-ended.declined": ["{operator} declined", "{operator} が拒否"],
  "moment.offer-ended.timed-out": ["{operator} did not answer in {rang}", "{operator} が応答せず({rang})"],
  "moment.offer-ended.device-failed": ["The telephone of {operator} failed", "{operator} の電話機の障害"],
  "moment.offer-ended.busy": ["The telephone of {operator} was busy", "{operator} の電話機が話し中"],
  "moment.offer-ended.rescinded": ["Stopped ringing at {operator}", "{operator} の呼出を中止"],
  "moment.offer-ended.abandoned": ["Stopped ringing at {operator}: the customer left", "{operator} の呼出中に顧客が切断"],
  "moment.offer-ended.withdrawn": ["Taken back from {operator}", "{operator} への割り当てを取消"],
  "moment.call-answered": ["{operator} answered after {wait} in {queue}", "{operator} が応答(「{queue}」で {wait} 待ち)"],
  "moment.call-resumed": ["{operator} took the call over from {queue}", "{operator} が「{queue}」から引き継ぎ"],
  "moment.call-held": ["{operator} put the customer on hold", "{operator} が保留"],
  "moment.call-released": ["{operator} released the hold after {held}", "{operator} が保留を解除({held})"],
  "moment.consult-started": ["{operator} consults {target}", "{operator} が {target} と協議を開始"],
  "moment.consult-answered": ["The consulted party answered", "協議先が応答"],
  "moment.consult-ended.connected": ["Consult over: customer connected", "協議終了: 顧客に接続"],
  "moment.consult-ended.cancelled": ["Consult cancelled by {operator}", "{operator} が協議を取消"],
  "moment.consult-ended.declined": ["Consult declined", "協議先が拒否"],
  "moment.consult-ended.no-answer": ["The consulted party did not answer", "協議先が応答せず"],
  "moment.consult-ended.busy": ["The consulted party was busy", "協議先が話し中"],
  "moment.consult-ended.failed": ["The consulted party was not reachable", "協議先に接続できず"],
  "moment.consult-ended.target-hung-up": ["The consulted party hung up", "協議先が切断"],
  "moment.consult-ended.customer-hung-up": ["The customer hung up during the consult", "協議中に顧客が切断"],
  "moment.consult-ended.operator-left": ["{operator} left the consult", "{operator} が協議から離脱"],
  "moment.call-transferred": ["{from} handed the customer on to {to}", "{from} が {to} に転送"],
  "moment.call-transferred.blind": ["{from} handed the customer on to {to} without asking", "{from} が {to} にブラインド転送"],
  "moment.conference-started": ["Conference of three, begun by {operator}", "{operator} が三者通話を開始"],
  "moment.forced-end-started.abuse": ["Forced end for abuse by {operator}: announcement plays", "{operator} が強制終了(暴言): アナウンス再生"],
  "moment.forced-end-started.threat": ["Forced end for threats by {operator}: announcement plays", "{operator} が強制終了(脅迫): アナウンス再生"],
  "moment.forced-end-started.other": ["Forced end by {operator}: announcement plays", "{operator} が強制終了: アナウンス再生"],
  "moment.dial-started": ["{operator} dials", "{operator} が発信"],
  "moment.dial-answered": ["The customer answered after {rang}", "顧客が応答(呼出 {rang})"],
  "moment.callback-received": ["The customer chose a callback", "顧客がコールバックを選択"],
  "moment.ticket-created": ["Ticket {ticket} was made", "チケット {ticket} を作成"],
  "moment.call-ended": ["The call ended: {cause}", "通話終了: {cause}"],
  "moment.supervision-started.listen": ["{supervisor} listens to {operator}", "{supervisor} が {operator} の通話をモニター"],
  "moment.supervision-started.whisper": ["{supervisor} whispers to {operator}", "{supervisor} が {operator} にささやき"],
  "moment.supervision-started.barge": ["{supervisor} barges in on {operator}", "{supervisor} が {operator} の通話に割り込み"],
  "moment.supervision-changed.listen": ["{supervisor} goes on listening", "{supervisor} がモニターに切替"],
  "moment.supervision-changed.whisper": ["{supervisor} goes on whispering", "{supervisor} がささやきに切替"],
  "moment.supervision-changed.barge": ["{supervisor} barges in", "{supervisor} が割り込みに切替"],
  "moment.supervision-ended.stopped": ["{supervisor} left the call", "{supervisor} がモニターを終了"],
  "moment.supervision-ended.took-over": ["{supervisor} took the call over", "{supervisor} が通話を引き取り"],
  "moment.supervision-ended.operator-left": ["{supervisor} left the call: no operator has it any more", "オペレーターが離れたため {supervisor} のモニターを終了"],
  "moment.supervision-ended.call-ended": ["{supervisor} was in the call to its end", "{supervisor} は通話終了までモニター"],
  "moment.supervision-ended.device-lost": ["The telephone of {supervisor} was lost", "{supervisor} の電話機が切断"],
  "moment.unnamed": ["Something happened that this version has no word for", "不明なイベント"],
});

/** @param {any} party */
function party(party) {
  if (party?.operator !== undefined) return names.operator(party.operator);
  if (party?.queue !== undefined) return names.queue(party.queue);
  return party?.number ?? "";
}

/** The end of a word's key where one event has several meanings. @param {any} moment */
function meaning(moment) {
  const name = moment.event;
  if (name === "supervision-started" || name === "supervision-changed") return `${name}.${moment.mode}`;
  if (name === "offer-ended" || name === "consult-ended" || name === "supervision-ended") return `${name}.${moment.end}`;
  if (name === "forced-end-started") return `${name}.${moment.reason}`;
  if (name === "call-transferred" && moment.blind) return `${name}.blind`;
  return name;
}

/**
 * A call's timeline in words.
 * @param {any[]} timeline the record's moments, the oldest first
 * @returns {{at_us: number, kind: string, text: string}[]}
 */
export function moments(timeline) {
  let heldAt = 0;
  return timeline.map((moment) => {
    if (moment.event === "call-held") heldAt = moment.at_us;
    const text = say(`moment.${meaning(moment)}`, {
      operator: names.operator(moment.operator),
      supervisor: names.operator(moment.supervisor),
      queue: names.queue(moment.queue),
      step: moment.step === undefined ? "" : moment.step + 1,
      wait: length(moment.wait_us ?? 0),
      rang: length(moment.rang_us ?? 0),
      held: length(moment.at_us - heldAt),
      target: party(moment.target),
      from: names.operator(moment.from),
      to: party(moment.to),
      ticket: moment.ticket ? `#${String(moment.ticket).split("-")[0]}` : "",
      cause: moment.cause ? t(`cause.${moment.cause}`) : "",
    });
    return { at_us: moment.at_us, kind: moment.event, text };
  });
}
