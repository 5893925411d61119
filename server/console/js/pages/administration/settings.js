// A service's settings, as operators live with them.

import { h, field } from "../../element.js";
import { addWords, t } from "../../words.js";
import { Bound, UNIT } from "./bound.js";
import { audioOptions, statusOptions } from "./choices.js";

addWords({
  "settings.status": ["Status", "ステータス"],
  "settings.login_status": ["Status at CTI login", "CTIログイン時のステータス"],
  "settings.on_miss": ["After a missed or declined call", "不応答・拒否のとき"],
  "settings.leave-ready": ["The operator leaves Ready", "待機から外れる"],
  "settings.stay-ready": ["They stay Ready", "待機のまま"],
  "settings.break-after": ["Break after so many in a row (0: never)", "連続何回で休憩にするか(0: しない)"],
  "settings.calls": ["Calls", "通話"],
  "settings.ring_limit_ms": ["Ring limit (s)", "呼回収時間(秒)"],
  "settings.dial_limit_ms": ["An outbound dial rings (s)", "発信の呼出時間(秒)"],
  "settings.consult_limit_ms": ["A consulted or forwarded number rings (s)", "協議・転送先の呼出時間(秒)"],
  "settings.outbound_ticket": ["A dial makes its ticket", "発信時のチケット作成"],
  "settings.ticket.connect": ["when the customer is connected", "顧客につながったとき"],
  "settings.ticket.dial": ["at the dial", "発信したとき"],
  "settings.hold_music": ["Hold and queue music", "保留音"],
  "settings.forced_end_audio": ["Announcement of a forced end", "強制終了アナウンス"],
  "settings.forced_end_limit_ms": ["It is cut after (s)", "アナウンスの最長時間(秒)"],
  "settings.after-call": ["After-call work", "後処理"],
  "settings.after_call_limit_ms": ["Limit (s); empty: left by hand", "上限(秒)。空欄は手動で終了"],
  "settings.after_call_then": ["Status at the limit", "上限に達したときのステータス"],
  "settings.after_call_early_exit": ["It may be left before the limit", "上限より前に終了できる"],
  "settings.after_call_prompt_ms": ["Reminder after (s)", "通知するまでの時間(秒)"],
  "settings.solve_at_wrap_up": ["Its end solves the call's ticket", "終了時にチケットを解決にする"],
  "settings.device": ["Lost device", "端末の切断"],
  "settings.on_device_lost": ["The customer", "顧客の通話"],
  "settings.requeue": ["goes back to the head of the queue", "キューの先頭に戻す"],
  "settings.end": ["is hung up", "切断する"],
  "settings.device_grace_ms": ["The operator is logged out after (s)", "ログアウトまでの時間(秒)"],
  "settings.tickets": ["Tickets", "チケット"],
  "settings.close_after_ms": ["Solved becomes Closed after (days)", "解決から完了までの日数"],
  "settings.first_response_ms": ["First reply within (business hours)", "初回返信の期限(営業時間)"],
  "settings.resolution_ms": ["Solved within (business hours)", "解決の期限(営業時間)"],
  "settings.return_after_ms": ["An assigned ticket returns after (h)", "割り当てたチケットが戻るまで(時間)"],
  "settings.callbacks": ["Callbacks", "コールバック"],
  "settings.callback_attempts": ["Dials of a callback", "発信回数"],
  "settings.callback_retry_ms": ["Time between them (min)", "再発信までの時間(分)"],
  "settings.none": ["Empty: no limit", "空欄: 制限なし"],
});

/** @param {any} of the settings @param {any[]} reasons @param {() => void} again */
export function settings(of, reasons, again) {
  const own = new Bound(of, "settings");
  const span = (/** @type {string} */ key, /** @type {number} */ unit, least = 0) => field(t(`settings.${key}`), own.span(key, unit, { min: least }));
  const optional = (/** @type {string} */ key, /** @type {number} */ unit) => field(t(`settings.${key}`), own.span(key, unit, { optional: true }), t("settings.none"));
  const group = (/** @type {string} */ key, /** @type {import("../../element.js").Child[]} */ ...fields) =>
    h("fieldset.card.grid", null, h("legend", null, t(`settings.${key}`)), fields);
  const misses = typeof of.on_miss === "object" ? new Bound(of.on_miss, "on_miss") : null;
  const onMiss = new Bound({ rule: misses ? "stay-ready" : "leave-ready" }, "settings", () => {
    of.on_miss = onMiss.of.rule === "stay-ready" ? { "stay-ready": 0 } : "leave-ready";
    again();
  });
  const words = (/** @type {string[]} */ keys) => keys.map((key) => /** @type {[string, string]} */ ([key, t(`settings.${key}`)]));
  return h("div", null,
    group("status",
      field(t("settings.login_status"), own.choice("login_status", statusOptions(reasons))),
      field(t("settings.on_miss"), onMiss.choice("rule", words(["leave-ready", "stay-ready"]))),
      misses && field(t("settings.break-after"), misses.whole("stay-ready", { max: 65_535 }))),
    group("calls",
      span("ring_limit_ms", UNIT.second, 1), span("dial_limit_ms", UNIT.second, 1), span("consult_limit_ms", UNIT.second, 1),
      field(t("settings.outbound_ticket"), own.choice("outbound_ticket", [["connect", t("settings.ticket.connect")], ["dial", t("settings.ticket.dial")]])),
      field(t("settings.hold_music"), own.choice("hold_music", audioOptions())),
      field(t("settings.forced_end_audio"), own.choice("forced_end_audio", audioOptions())),
      span("forced_end_limit_ms", UNIT.second, 1)),
    group("after-call",
      optional("after_call_limit_ms", UNIT.second),
      field(t("settings.after_call_then"), own.choice("after_call_then", statusOptions(reasons))),
      optional("after_call_prompt_ms", UNIT.second),
      own.flag("after_call_early_exit", t("settings.after_call_early_exit")),
      own.flag("solve_at_wrap_up", t("settings.solve_at_wrap_up"))),
    group("device",
      field(t("settings.on_device_lost"), own.choice("on_device_lost", words(["requeue", "end"]))),
      span("device_grace_ms", UNIT.second)),
    group("tickets",
      span("close_after_ms", UNIT.day),
      optional("first_response_ms", UNIT.hour), optional("resolution_ms", UNIT.hour), optional("return_after_ms", UNIT.hour)),
    group("callbacks",
      field(t("settings.callback_attempts"), own.whole("callback_attempts", { min: 1, max: 255 })),
      span("callback_retry_ms", UNIT.minute)));
}
