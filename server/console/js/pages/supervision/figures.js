// Figures by the names of docs/metrics: what each is called, what it is made of, and how it is printed.

import { h } from "../../element.js";
import { length } from "../../time.js";
import { addWords, t } from "../../words.js";
import { percent } from "./table.js";

addWords({
  "figure.offered": ["N offered", "N 着信数"],
  "figure.offered.of": ["Calls presented to the queue, once each, however often they rang", "キューに入った通話。何度呼び出しても1件"],
  "figure.answered": ["A answered", "A 応答数"],
  "figure.answered.of": ["Answered by an operator", "オペレーターが応答した通話"],
  "figure.answered_in_time": ["A_T in time", "A_T 目標内応答数"],
  "figure.answered_in_time.of": ["Answered with a wait of at most T", "待ち時間がT以内の応答"],
  "figure.abandoned": ["B abandoned", "B 放棄数"],
  "figure.abandoned.of": ["Abandoned while queued or ringing, short ones included", "待ち・呼出中に放棄された通話(短時間を含む)"],
  "figure.abandoned_in_time": ["B_T abandoned in time", "B_T 目標内放棄数"],
  "figure.abandoned_in_time.of": ["Abandoned with a wait of at most T", "待ち時間がT以内の放棄"],
  "figure.abandoned_short": ["B_s short", "B_s 短時間放棄数"],
  "figure.abandoned_short.of": ["Abandoned with a wait of at most s", "待ち時間がs以内の放棄"],
  "figure.flowed_out": ["F flowed out", "F 流出数"],
  "figure.flowed_out.of": ["Left unanswered for somewhere else: overflow, callback accepted, forwarded, voicemail", "応答前に他へ移った通話: オーバーフロー、コールバック、転送、留守番電話"],
  "figure.refused": ["R refused", "R 拒否数"],
  "figure.refused.of": ["Refused before they were offered: queue full, closed, without the contract", "着信前に拒否: 満杯、営業時間外、契約なし"],
  "figure.waiting_at_start": ["W0 at the start", "W0 開始時の待ち"],
  "figure.waiting_at_start.of": ["In the queue or ringing at the interval's start", "区間の開始時に待ち・呼出中の通話"],
  "figure.waiting_at_end": ["W1 at the end", "W1 終了時の待ち"],
  "figure.waiting_at_end.of": ["In the queue or ringing at the interval's end", "区間の終了時に待ち・呼出中の通話"],
  "figure.service_level": ["Service level", "サービスレベル"],
  "figure.service_level.of": ["By the queue's own rule; the ratio of sums over the interval", "キューの規則による。区間の合計の比"],
  "figure.service_level_short": ["Service level, short", "サービスレベル(短時間放棄を除く)"],
  "figure.service_level_short.of": ["A_T ÷ (N − B_s − F)", "A_T ÷ (N − B_s − F)"],
  "figure.service_level_ignore": ["Service level, ignore", "サービスレベル(早期放棄を除く)"],
  "figure.service_level_ignore.of": ["A_T ÷ (N − B_T)", "A_T ÷ (N − B_T)"],
  "figure.service_level_negative": ["Service level, negative", "サービスレベル(早期放棄は未達)"],
  "figure.service_level_negative.of": ["A_T ÷ N", "A_T ÷ N"],
  "figure.service_level_positive": ["Service level, positive", "サービスレベル(早期放棄は達成)"],
  "figure.service_level_positive.of": ["(A_T + B_T) ÷ N", "(A_T + B_T) ÷ N"],
  "figure.service_level_handled": ["Service level, handled", "サービスレベル(応答のみ)"],
  "figure.service_level_handled.of": ["A_T ÷ A: flattering, it leaves out who gave up", "A_T ÷ A: 放棄を除く甘い指標"],
  "figure.asa_s": ["ASA", "平均応答時間(ASA)"],
  "figure.asa_s.of": ["Mean wait of answered calls, ringing and zero waits included", "応答した通話の平均待ち時間(呼出と待ちなしを含む)"],
  "figure.abandonment": ["Abandonment", "放棄率"],
  "figure.abandonment.of": ["(B − B_s) ÷ (N − B_s)", "(B − B_s) ÷ (N − B_s)"],
  "figure.abandonment_raw": ["Abandonment, raw", "放棄率(全件)"],
  "figure.abandonment_raw.of": ["B ÷ N", "B ÷ N"],
  "figure.blocking": ["Refused share", "拒否率"],
  "figure.blocking.of": ["R ÷ (N + R)", "R ÷ (N + R)"],
  "figure.p_wait": ["P(wait)", "待ち発生率"],
  "figure.p_wait.of": ["Share of offered calls that waited at all", "待ちが発生した通話の割合"],
  "figure.abandon_wait_s": ["Mean wait before abandonment", "放棄までの平均待ち時間"],
  "figure.abandon_wait_s.of": ["Mean wait of abandoned calls", "放棄された通話の平均待ち時間"],
  "figure.wait_mean_s": ["Mean wait of all", "全通話の平均待ち時間"],
  "figure.wait_mean_s.of": ["However the wait ended", "待ちの終わり方を問わない平均"],
  "figure.aht_s": ["AHT", "平均処理時間(AHT)"],
  "figure.aht_s.of": ["(talk + hold + consult + after-call work) ÷ A", "(通話 + 保留 + 協議 + 後処理) ÷ A"],
  "figure.talk_s": ["Talk", "通話"],
  "figure.talk_s.of": ["Talk time ÷ A", "通話時間 ÷ A"],
  "figure.hold_s": ["Hold", "保留"],
  "figure.hold_s.of": ["Hold time ÷ A", "保留時間 ÷ A"],
  "figure.consult_s": ["Consult", "協議"],
  "figure.consult_s.of": ["Consult time ÷ A", "協議時間 ÷ A"],
  "figure.after_call_s": ["After-call work", "後処理"],
  "figure.after_call_s.of": ["After-call work ÷ A", "後処理時間 ÷ A"],
  "figure.ring_s": ["Ring time", "呼出時間"],
  "figure.ring_s.of": ["Ring time ÷ rings", "呼出時間 ÷ 呼出数"],
  "figure.transfer_rate": ["Transfers ÷ A", "転送率"],
  "figure.transfer_rate.of": ["Completed transfers ÷ answered", "転送完了 ÷ 応答数"],
  "figure.hold_rate": ["Held ÷ A", "保留率"],
  "figure.hold_rate.of": ["Calls held at least once ÷ answered", "保留した通話 ÷ 応答数"],
  "figure.missed_ring_rate": ["Missed rings ÷ rings", "不応答率"],
  "figure.missed_ring_rate.of": ["Missed and declined rings ÷ rings", "不応答・拒否 ÷ 呼出数"],
  "figure.forced_end_rate": ["Forced ends ÷ A", "強制終了率"],
  "figure.forced_end_rate.of": ["Forced ends ÷ answered", "強制終了 ÷ 応答数"],
  "figure.dials": ["Dials", "発信数"],
  "figure.dials.of": ["Outbound dials", "顧客への発信"],
  "figure.dials_connected": ["Dials connected", "発信応答数"],
  "figure.dials_connected.of": ["Dials that reached the customer", "顧客が応答した発信"],
  "figure.dial_connect_rate": ["Dials connected ÷ dials", "発信応答率"],
  "figure.dial_connect_rate.of": ["Dials that reached the customer ÷ dials", "顧客が応答した発信 ÷ 発信数"],
  "figure.logged_in": ["Logged in", "ログイン時間"],
  "figure.logged_in.of": ["Paid time: logged in", "有給時間(ログイン)"],
  "figure.handle": ["Handle time", "処理時間"],
  "figure.handle.of": ["Talk + hold + consult + after-call work", "通話 + 保留 + 協議 + 後処理"],
  "figure.calls_in": ["Calls in", "受電数"],
  "figure.calls_in.of": ["Answered from a queue, or taken over by a transfer", "キューから応答、または転送で引き受けた通話"],
  "figure.rings": ["Rings", "呼出数"],
  "figure.rings.of": ["Offers; several for one call where it was missed", "呼出。不応答なら1通話で複数回"],
  "figure.missed_rings": ["Missed rings", "不応答数"],
  "figure.missed_rings.of": ["Missed or declined", "不応答または拒否"],
  "figure.chats": ["Chats", "チャット数"],
  "figure.chats.of": ["Chats answered", "応答したチャット"],
  "figure.tickets_solved": ["Tickets solved", "解決チケット数"],
  "figure.tickets_solved.of": ["By the one who owned them", "担当者として解決したチケット"],
  "figure.occupancy": ["Occupancy", "稼働率(占有率)"],
  "figure.occupancy.of": ["Busy ÷ (busy + Ready); Work and Break are in neither", "稼働 ÷ (稼働 + 待機)。業務と休憩は含まない"],
  "figure.utilisation": ["Utilisation", "利用率"],
  "figure.utilisation.of": ["Busy ÷ paid time", "稼働 ÷ 有給時間"],
  "figure.shrinkage": ["Shrinkage", "シュリンケージ"],
  "figure.shrinkage.of": ["Share of paid time neither busy nor Ready", "有給時間のうち稼働でも待機でもない割合"],
  "figure.identity": ["W0 + N = A + B + F + W1", "W0 + N = A + B + F + W1"],
  "figure.holds": ["holds", "一致"],
  "figure.fails": ["FAILS", "不一致"],
});

/** A figure's name with its definition. @param {string} key @returns {{text: string, figure: boolean, title: string}} */
export function head(key) {
  return { text: t(`figure.${key}`), figure: true, title: t(`figure.${key}.of`) };
}

/** @param {number | null | undefined} seconds */
export function seconds(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  return seconds < 60 ? `${seconds.toFixed(1)} s` : length(1_000_000 * seconds);
}

/** The value of a figure of a queue, as it is printed; a share has the count that it is of.
 * @param {string} key @param {any} row of `GET /statistics/queues` @param {string} [rule] the queue's own, of early abandonments */
export function ofQueue(key, row, rule = "short") {
  const count = (/** @type {string} */ name) => row.counts[name] ?? 0;
  if (["answered_in_time", "abandoned_in_time", "abandoned_short", "waiting_at_start", "waiting_at_end"].includes(key)) return String(count(key));
  const value = row.figures[key];
  if (value === undefined) return "–";
  if (key.endsWith("_s")) return seconds(value);
  const of = SHARES[key === "service_level" ? `service_level_${rule}` : key];
  return of ? percent(value, of(count)) : String(value);
}

/** Of how many each share is. @type {Record<string, (count: (name: string) => number) => number>} */
const SHARES = {
  service_level_short: (count) => Math.max(0, count("offered") - count("abandoned_short") - count("flowed_out")),
  service_level_ignore: (count) => count("offered") - count("abandoned_in_time"),
  service_level_negative: (count) => count("offered"),
  service_level_positive: (count) => count("offered"),
  service_level_handled: (count) => count("answered"),
  abandonment: (count) => count("offered") - count("abandoned_short"),
  abandonment_raw: (count) => count("offered"),
  blocking: (count) => count("offered") + count("refused"),
  p_wait: (count) => count("offered"),
  transfer_rate: (count) => count("answered"),
  hold_rate: (count) => count("answered"),
  missed_ring_rate: (count) => count("rings"),
  forced_end_rate: (count) => count("answered"),
  dial_connect_rate: (count) => count("dials"),
};

/** What each figure is made of. @param {string[]} keys */
export function definitions(keys) {
  return h("dl.definitions", null, keys.map((key) => h("div", null, h("dt", null, t(`figure.${key}`)), h("dd", null, t(`figure.${key}.of`)))));
}
