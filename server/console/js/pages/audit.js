// The audit log: who did what, newest first, and whether its chain holds.

import { get } from "../api.js";
import { h, replace } from "../element.js";
import { attempt, show } from "../dialog.js";
import { moment } from "../time.js";
import { addWords, t } from "../words.js";
import { table } from "./supervision/table.js";

addWords({
  "audit.verification": ["Chain of the log", "ログの連鎖"],
  "audit.verified": ["Verified: {} entries, each with the hash of the one before.", "検証済み: 全{}件が前の記録のハッシュとつながっています。"],
  "audit.newest": ["Hash of the newest", "最新の記録のハッシュ"],
  "audit.newest.hint": ["Kept elsewhere, it proves later that nothing before it was changed.", "別の場所に控えておくと、後で改ざんがないことを証明できます。"],
  "audit.broken": ["Broken at entry {}: {}", "記録 {} で連鎖が切れています: {}"],
  "audit.verify": ["Verify again", "再検証"],
  "audit.number": ["Number", "番号"],
  "audit.at": ["Time", "日時"],
  "audit.who": ["Who", "実行者"],
  "audit.act": ["What", "操作"],
  "audit.about": ["About", "対象"],
  "audit.hash": ["Hash", "ハッシュ"],
  "audit.end": ["This is the whole log.", "これより前の記録はありません。"],
  "act.signed-in": ["Signed in", "サインイン"],
  "act.sign-in-failed": ["Sign-in failed", "サインイン失敗"],
  "act.signed-out": ["Signed out", "サインアウト"],
  "act.key-made": ["API key made", "APIキー作成"],
  "act.key-revoked": ["API key revoked", "APIキー失効"],
  "act.account-made": ["Account made", "アカウント作成"],
  "act.account-changed": ["Account changed", "アカウント変更"],
  "act.password-changed": ["Password changed", "パスワード変更"],
  "act.configuration-changed": ["Configuration changed", "設定変更"],
  "act.data-exported": ["Data exported", "データ出力"],
  "act.person-erased": ["Person erased", "個人データ消去"],
  "act.organisation-made": ["Organisation made", "組織作成"],
  "act.organisation-changed": ["Organisation changed", "組織変更"],
  "act.organisation-suspended": ["Organisation suspended", "組織停止"],
  "act.organisation-resumed": ["Organisation served again", "組織再開"],
  "act.certificates-reloaded": ["Certificates read again", "証明書再読み込み"],
  "act.numbers-read": ["Numbers shown whole", "電話番号の全桁表示"],
  "act.call-supervised": ["Call supervised", "通話モニター"],
});

const PAGE = 100;

/** @type {import("../main.js").Page} */
export const auditPage = {
  key: "audit",
  roles: ["administrator", "auditor"],
  open(into) {
    const verification = h("div");
    const verify = () => show(verification, verified);
    const entries = h("div");
    replace(into,
      h("h1", null, t("page.audit")),
      h("section.card", { data: { audit: "verification" } }, h("h2", null, t("audit.verification")), verification,
        h("button", { type: "button", data: { action: "verify" }, onclick: verify }, t("audit.verify"))),
      entries);
    verify();
    show(entries, async () => {
      const list = new Log();
      await list.more();
      return list.element;
    });
  },
};

async function verified() {
  const { verified: good, broken } = await get("/audit/verification");
  if (broken) {
    return h("p.wrong", { role: "alert", data: { verified: "broken" } }, t("audit.broken").replace("{}", broken.entry).replace("{}", broken.what));
  }
  return [
    h("p", { data: { verified: "good" } }, h("span.tag.good", null, "✓"), " ", t("audit.verified").replace("{}", good.entries)),
    h("p.small", null, `${t("audit.newest")}: `, h("code.hash", null, good.hash), " ", t("audit.newest.hint")),
  ];
}

class Log {
  constructor() {
    /** @type {any[]} */
    this.entries = [];
    this.whole = false;
    this.element = h("div");
  }

  async more() {
    const before = this.entries.length > 0 ? this.entries[this.entries.length - 1].number : undefined;
    const page = await get("/audit", { before, limit: PAGE });
    this.entries.push(...page);
    this.whole = page.length < PAGE;
    replace(this.element,
      table(t("page.audit"), [t("audit.number"), t("audit.at"), t("audit.who"), t("audit.act"), t("audit.about"), t("audit.hash")],
        this.entries.map((it) => ({
          data: { entry: it.number, act: it.act },
          cells: [it.number, moment(it.at_us), it.who, t(`act.${it.act}`), h("span.about.roomy", null, it.about), h("code.hash", { title: it.hash }, it.hash.slice(0, 12))],
        })), { key: "audit" }),
      this.whole ? h("p.small", null, t("audit.end"))
        : h("button", { type: "button", data: { action: "more", key: "more" }, onclick: () => attempt(() => this.more()) }, t("more")));
  }
}
