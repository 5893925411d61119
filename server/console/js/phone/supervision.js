// A supervisor in somebody's call: listen, whisper, barge in, take over, stop. The same buttons are on the wallboard and in
// the widget.

import { post, put, remove } from "../api.js";
import { h } from "../element.js";
import { attempt, tell } from "../dialog.js";
import { names, who } from "../session.js";
import { addWords, t } from "../words.js";

addWords({
  "supervision": ["Supervision", "モニタリング"],
  "supervision.listen": ["Listen", "モニター"],
  "supervision.whisper": ["Whisper", "ささやき"],
  "supervision.barge": ["Barge in", "割り込み"],
  "supervision.take-over": ["Take over", "引き取る"],
  "supervision.stop": ["Stop", "終了"],
  "supervision.calling": ["Your telephone rings: answer it to hear the call.", "電話機を呼び出しています。応答すると通話が聞こえます。"],
  "supervision.now.listen": ["You hear the call. Nobody hears you.", "通話を聞いています。あなたの声は誰にも聞こえません。"],
  "supervision.now.whisper": ["The operator alone hears you.", "あなたの声はオペレーターだけに聞こえます。"],
  "supervision.now.barge": ["Everybody hears you.", "あなたの声は全員に聞こえます。"],
  "supervision.by.listen": ["{} listens", "{} がモニター中"],
  "supervision.by.whisper": ["{} whispers", "{} がささやき中"],
  "supervision.by.barge": ["{} barged in", "{} が割り込み中"],
  "supervision.by.calling": ["{} is being called", "{} を呼出中"],
  "supervision.ended.operator-left": ["No operator has the call any more: you are no longer in it.", "担当オペレーターがいなくなったため、モニターを終了しました。"],
  "supervision.ended.call-ended": ["The call is over.", "通話が終了しました。"],
  "supervision.ended.device-lost": [
    "Your telephone or your browser's audio was lost: you are no longer in the call.",
    "電話機またはブラウザー音声が切断されたため、モニターを終了しました。",
  ],
  "supervision.ended.not-answered": [
    "You are not in the call: your telephone was not answered, or the call was over first. Press again and answer when it rings.",
    "通話に参加していません。電話機が応答しなかったか、先に通話が終了しました。もう一度押し、呼び出されたら応答してください。",
  ],
  "supervision.no-operator": [
    "To listen to calls, this account needs an operator of its own, with a telephone or a browser: an administrator can choose one under Accounts.",
    "通話をモニターするには、このアカウントに電話機またはブラウザを持つオペレーターが必要です。管理者が「アカウント」で設定できます。",
  ],
});

/** @typedef {{operator: number, mode: "listen" | "whisper" | "barge", joined: boolean}} Supervisor */

/** Where a call can be supervised: with an operator and a customer. */
const SUPERVISED = ["talking", "holding", "conference"];
const MODES = /** @type {const} */ (["listen", "whisper", "barge"]);

/** Who is in somebody's call, and how. @param {Supervisor | null | undefined} supervisor */
export function supervisorTag(supervisor) {
  if (!supervisor) return null;
  const how = supervisor.joined ? supervisor.mode : "calling";
  return h("span.tag.supervised", { data: { supervision: how } }, t(`supervision.by.${how}`).replace("{}", names.operator(supervisor.operator)));
}

/** What one's own part in a call is. @param {Supervisor} own */
export function ownSupervision(own) {
  const how = own.joined ? `now.${own.mode}` : "calling";
  return h("p.note", { role: "status", data: { key: "supervision", supervision: own.joined ? own.mode : "calling" } }, t(`supervision.${how}`));
}

/** Whether this page asked for the end that comes. */
let stopping = false;

/**
 * One's own part in a call is over: why, where nobody here asked for it.
 * @param {Supervisor} was @param {string | undefined} end as the event says
 */
export function supervisionOver(was, end) {
  const asked = stopping;
  stopping = false;
  const why = was.joined ? end : asked ? undefined : "not-answered";
  if (why && why !== "stopped" && why !== "took-over") tell(t(`supervision.ended.${why}`), why === "call-ended" ? "good" : "bad");
}

/**
 * The buttons of a call that this supervisor could be, or is, in.
 * @param {{call: string, place: string, operator?: number | null, supervisor?: Supervisor | null}} call
 * @param {() => Promise<unknown>} again
 */
export function supervisionButtons(call, again) {
  const me = who().operator;
  if (me === null || call.operator === me) return null;
  const own = call.supervisor?.operator === me ? call.supervisor : null;
  if (!own && (!SUPERVISED.includes(call.place) || call.supervisor)) return null;
  const order = (/** @type {() => Promise<unknown>} */ ask) => () => attempt(async () => {
    await ask();
    await again();
  });
  const key = (/** @type {string} */ what) => `${what}-${call.call}`;
  return h("span.moves.supervision", { role: "group", "aria-label": t("supervision") },
    MODES.map((mode) => h("button", {
      type: "button", "aria-pressed": own ? String(own.mode === mode) : null, data: { action: mode, key: key(mode) },
      onclick: order(() => put(`/calls/${call.call}/supervision`, { mode })),
    }, t(`supervision.${mode}`))),
    own && h("button", {
      type: "button", disabled: !own.joined || !SUPERVISED.includes(call.place), data: { action: "take-over", key: key("take-over") },
      onclick: order(() => post(`/calls/${call.call}/take-over`)),
    }, t("supervision.take-over")),
    own && h("button.danger", {
      type: "button", data: { action: "stop", key: key("stop") },
      onclick: order(() => {
        stopping = true;
        return remove(`/calls/${call.call}/supervision`);
      }),
    }, t("supervision.stop")));
}
