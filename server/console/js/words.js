// Everything that is shown, in English and Japanese. The statuses are word for word those of the phone desk (P15 to P23).

/** @type {Record<string, [english: string, japanese: string]>} */
const WORDS = {
  // Statuses
  "status.logged-out": ["Logged out", "ログアウト"],
  "status.work": ["Work", "業務"],
  "status.ready": ["Ready", "待機"],
  "status.break": ["Break", "休憩"],
  "status.ringing": ["Ringing", "呼出中"],
  "status.dialing": ["Dialing", "発信中"],
  "status.talking": ["Talking", "通話中"],
  "status.consulting": ["Consulting", "通話中(転換)"],
  "status.holding": ["Holding", "保留中"],
  "status.after-call-work": ["After-call work", "業務(チケット処理)"],
  "chat-status.away": ["Chat: away", "チャット: 離席"],
  "chat-status.available": ["Chat: available", "チャット: 対応可"],

  // Sign in and frame
  "sign-in": ["Sign in", "サインイン"],
  "sign-out": ["Sign out", "サインアウト"],
  "own-password": ["Change your password", "パスワードを変更"],
  "own-password.current": ["Password now", "現在のパスワード"],
  "own-password.new": ["New password", "新しいパスワード"],
  "own-password.hint": ["8 to 256 characters. Your other sessions end.", "8〜256文字。他の画面のセッションは終了します。"],
  "own-password.done": ["Your password is changed", "パスワードを変更しました"],
  login: ["Login", "ログイン名"],
  password: ["Password", "パスワード"],
  organisation: ["Organisation", "組織"],
  "organisation.hint": ["Leave empty where there is one", "一つだけの場合は空欄"],
  language: ["日本語", "English"],
  theme: ["Light or dark", "明るさ"],
  "no-connection": ["Connection lost. What you see may be old; it goes on by itself.", "接続が切れました。表示は古い可能性があります。自動的に再接続します。"],
  "session-over": ["Your session is over. Sign in again.", "セッションが終了しました。再度サインインしてください。"],
  menu: ["Menu", "メニュー"],
  loading: ["Loading", "読み込み中"],
  nothing: ["Nothing here", "該当なし"],
  more: ["More", "さらに表示"],
  save: ["Save", "保存"],
  add: ["Add", "追加"],
  remove: ["Remove", "削除"],
  close: ["Close", "閉じる"],
  ok: ["OK", "確認"],
  cancel: ["Cancel", "キャンセル"],
  search: ["Search", "検索"],
  all: ["All", "すべて"],
  none: ["None", "なし"],
  name: ["Name", "名前"],
  number: ["Number", "番号"],
  saved: ["Saved", "保存しました"],
  yes: ["Yes", "はい"],
  no: ["No", "いいえ"],
  unknown: ["Unknown", "不明"],
  time: ["Time", "時刻"],
  retry: ["Try again", "再試行"],

  // Roles
  "role.operator": ["Operator", "オペレーター"],
  "role.supervisor": ["Supervisor", "スーパーバイザー"],
  "role.planner": ["Planner", "プランナー"],
  "role.administrator": ["Administrator", "管理者"],
  "role.auditor": ["Auditor", "監査人"],
  "role.server-administrator": ["Server's administrator", "サーバー管理者"],

  // Pages
  "page.tickets": ["Tickets", "チケット"],
  "page.chats": ["Chats", "チャット"],
  "page.callbacks": ["Callbacks", "コールバック"],
  "page.customers": ["Customers", "顧客"],
  "page.calls": ["Call records", "通話履歴"],
  "page.wallboard": ["Wallboard", "モニター"],
  "page.statistics": ["Statistics", "統計"],
  "page.surveys": ["Satisfaction", "満足度"],
  "page.administration": ["Administration", "管理"],
  "page.audit": ["Audit log", "監査ログ"],
  "page.not-yours": ["This page is not for your role.", "このページを表示する権限がありません。"],

  // Phone widget (P24 to P38)
  phone: ["Phone", "電話"],
  "phone.login": ["Log in to the phone", "CTIログイン"],
  "phone.logout": ["Log out", "ログアウト"],
  "phone.answer": ["Answer", "応答"],
  "phone.decline": ["Decline", "拒否"],
  "phone.dial": ["Dial", "かける"],
  "phone.no-dial": ["You cannot dial now: log in to the phone.", "現在発信できません。CTIログインしてください。"],
  "phone.transfer": ["Transfer", "転送"],
  "phone.consult": ["Consult", "協議通話"],
  "phone.connect": ["Connect", "接続"],
  "phone.add-favourite": ["Add favourite", "追加"],
  "phone.connect-customer": ["Connect customer", "顧客接続"],
  "phone.cancel-consult": ["Cancel", "キャンセル"],
  "phone.release": ["Release", "解除"],
  "phone.hold": ["Hold", "保留"],
  "phone.conference": ["Conference", "三者通話"],
  "phone.force-end": ["Force end", "強制終了"],
  "phone.hang-up": ["Hang up", "切断"],
  "phone.finish": ["End after-call work", "後処理を終える"],
  "phone.next-status": ["Next status", "次のステータス"],
  "phone.next-status.none": ["As set", "設定どおり"],
  "phone.blind": ["Transfer without asking", "ブラインド転送"],
  "phone.extension": ["Extension", "内線"],
  "phone.calls-today": ["Calls since login", "ログイン後の通話"],
  "phone.device-lost": ["Your telephone is not registered. Calls cannot be offered until it is back.", "電話機が登録されていません。復旧するまで着信できません。"],
  "phone.incoming": ["Incoming call", "着信"],
  "phone.incoming.consult": ["Consultation", "協議通話の着信"],
  "phone.incoming.chat": ["Chat offered", "チャットの割り当て"],
  "phone.incoming.ticket": ["Ticket offered", "チケットの割り当て"],
  "phone.incoming.callback": ["Callback", "コールバック"],
  "phone.rings-for": ["left to answer", "応答まで残り"],
  "phone.waited": ["waited", "待ち時間"],
  "phone.queue": ["Queue", "キュー"],
  "phone.no-number": ["Number withheld", "番号非通知"],
  "phone.consulted-by": ["You are consulted", "協議の相手です"],
  "phone.target": ["Consulted", "協議先"],
  "phone.target.rings": ["rings", "呼出中"],
  "phone.target.answered": ["answered", "応答"],
  "phone.reason": ["Reason", "理由"],
  "phone.no-reason": ["No reason", "理由なし"],
  "phone.end-of-call": ["The call is over", "通話が終了しました"],
  "phone.end-of-call.text": ["OK: ready for the next call. Cancel: stay in after-call work for the ticket.", "確認: 待機に戻ります。キャンセル: チケット処理を続けます。"],
  "phone.customer-number": ["Customer's number", "顧客の番号"],
  "phone.outgoing-number": ["Outgoing number", "発信番号"],
  "phone.service": ["Service", "サービス"],
  "phone.typed": ["Number", "番号入力"],
  "phone.favourites": ["Favourites", "よく使う番号"],
  "phone.operators": ["Ready operators", "待機中のオペレーター"],
  "phone.nobody-ready": ["Nobody else is Ready", "待機中のオペレーターはいません"],
  "phone.announcement": ["Announcement to the customer", "顧客へのアナウンス"],
  "phone.announcement.hint": ["Spoken before the call ends. Empty: the service's own announcement.", "切断前に再生します。空欄の場合はサービスの既定のアナウンス。"],
  "phone.force-end.text": ["The customer hears the announcement, then the call ends.", "アナウンスの再生後に通話を終了します。"],
  "phone.force-end.abuse": ["Abuse", "暴言"],
  "phone.force-end.threat": ["Threat", "脅迫"],
  "phone.force-end.other": ["Other", "その他"],
  "audio.connected": ["Browser audio connected", "ブラウザー音声 接続済み"],
  "audio.off": ["Your browser's audio is off.", "ブラウザー音声は停止しています。"],
  "audio.connecting": ["Connecting your browser's audio …", "ブラウザー音声に接続しています…"],
  "audio.no-microphone": ["No microphone: allow this page to use it and reload.", "マイクが使えません。使用を許可して再読み込みしてください。"],
  "audio.insecure": ["A browser gives its microphone to pages over HTTPS only.", "マイクは HTTPS のページでのみ使用できます。"],
  "audio.mute": ["Mute", "ミュート"],
  "audio.unmute": ["Unmute", "ミュート解除"],
  "place.flow": ["In the flow", "ガイダンス中"],
  "place.forwarding": ["Being forwarded", "外部転送中"],
  "place.waiting": ["Waiting", "待ち"],
  "place.ringing": ["Ringing", "呼出中"],
  "place.dialing": ["Dialing", "発信中"],
  "place.blind-ringing": ["Being handed on", "転送中"],
  "place.talking": ["Talking", "通話中"],
  "place.holding": ["On hold", "保留中"],
  "place.conference": ["Conference", "三者通話"],
  "place.outside": ["Outside", "外部"],
  "place.internal": ["Between operators", "内部通話"],
  "place.ending": ["Ending", "強制終了中"],
};

const KEY = "callfloor-language";
/** 0 English, 1 Japanese. */
let chosen = stored() ?? (navigator.language.startsWith("ja") ? 1 : 0);

function stored() {
  try {
    const found = localStorage.getItem(KEY);
    return found === "ja" ? 1 : found === "en" ? 0 : null;
  } catch {
    // A frame in another site's page may be given no storage.
    return null;
  }
}

/** Adds a page's own words. @param {Record<string, [string, string]>} words */
export function addWords(words) {
  Object.assign(WORDS, words);
}

/** A word in the chosen language; an unknown one is shown as it is. @param {string} key */
export function t(key) {
  const words = WORDS[key];
  // A newer server may have a word that this page does not know: better half a word than none.
  if (!words) console.warn(`no words for ${key}`);
  return words?.[chosen] ?? key.slice(key.indexOf(".") + 1);
}

/** Both languages where only one of a record's two fields is wanted. @param {{english: string, japanese: string}} both */
export function inLanguage(both) {
  return chosen === 1 ? both.japanese : both.english;
}

export function language() {
  return chosen === 1 ? "ja" : "en";
}

/** @param {"en" | "ja"} to */
export function speak(to) {
  speakHere(to);
  localStorage.setItem(KEY, to);
}

/** For this page alone: customers' pages leave the console's choice as it is. @param {"en" | "ja"} to */
export function speakHere(to) {
  chosen = to === "ja" ? 1 : 0;
  document.documentElement.lang = to;
}
