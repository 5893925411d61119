// API keys of machines: what they open, until when; their secret is shown once.

import { get, post, remove } from "../../api.js";
import { h, field, values } from "../../element.js";
import { attempt, confirmed, dialog } from "../../dialog.js";
import { moment, serverNow } from "../../time.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { showSecret } from "../shared/secret.js";
import { table } from "../supervision/table.js";
import { check } from "./bound.js";

addWords({
  "administration.keys": ["API keys", "APIキー"],
  "keys.scopes": ["Opens", "権限"],
  "scope.statistics:read": ["Reads statistics", "統計の参照"],
  "scope.metrics:read": ["Reads the figures for Prometheus", "Prometheus指標の参照"],
  "scope.floor:read": ["Reads the configuration", "設定の参照"],
  "scope.floor:write": ["Changes services, queues, operators and lists", "サービス・キュー・オペレーター・一覧の変更"],
  "scope.audit:read": ["Reads and verifies the audit log", "監査ログの参照と検証"],
  "keys.made": ["Made", "作成"],
  "keys.until": ["Ends", "期限"],
  "keys.state": ["State", "状態"],
  "keys.good": ["Good", "有効"],
  "keys.over": ["Over", "期限切れ"],
  "keys.revoked": ["Revoked", "失効"],
  "keys.add": ["Make a key", "キーを作成"],
  "keys.machine": ["Which machine has it", "使用する機器・システム"],
  "keys.days": ["Days until it ends (1-366)", "有効日数(1〜366)"],
  "keys.none": ["Choose at least one", "一つ以上選択してください"],
  "keys.secret": ["The key's secret", "キーの秘密"],
  "keys.secret.hint": ["It is shown this once. Keep it where only the machine can read it, and send it as Authorization: Bearer.", "この一度だけ表示されます。機器だけが読める場所に保管し、Authorization: Bearer として送信してください。"],
  "keys.copy": ["Copy", "コピー"],
  "keys.copied": ["Copied", "コピーしました"],
  "keys.revoke": ["Revoke", "失効させる"],
  "keys.revoke.text": ["{} opens nothing any more, at once and for good.", "{} はただちに使えなくなり、元に戻せません。"],
});

const SCOPES = ["statistics:read", "metrics:read", "floor:read", "floor:write", "audit:read"];

/** @type {import("../administration.js").Section} */
export const keysSection = {
  key: "keys",
  async open(into) {
    const place = new Place(() => list(() => attempt(() => place.refresh())));
    into.append(place.element);
    await place.show();
  },
};

/** @param {() => void} again */
async function list(again) {
  const found = await get("/keys");
  const state = (/** @type {any} */ it) => (it.revoked_us ? "revoked" : it.until_us <= serverNow() ? "over" : "good");
  return [
    h("div.heading", null, h("h2", null, t("administration.keys")),
      h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => make(again) }, t("keys.add"))),
    table(t("administration.keys"), [t("name"), t("keys.scopes"), t("keys.made"), t("keys.until"), t("keys.state"), ""],
      found.map((/** @type {any} */ it) => ({
        data: { apiKey: it.id },
        cells: [it.name, it.scopes.map((/** @type {string} */ scope) => h("span.roomy", null, t(`scope.${scope}`))), moment(it.made_us), moment(it.until_us), t(`keys.${state(it)}`),
          state(it) === "good" && h("button.danger", {
            type: "button", "aria-label": `${t("keys.revoke")}: ${it.name}`, data: { action: "revoke" }, onclick: async () => {
              if (!await confirmed(it.name, t("keys.revoke.text").replace("{}", it.name), t("keys.revoke"))) return;
              await attempt(() => remove(`/keys/${it.id}`));
              again();
            },
          }, t("keys.revoke"))],
      })), { key: "keys" }),
  ];
}

/** @param {() => void} again */
function make(again) {
  dialog({
    title: t("keys.add"),
    key: "key",
    content: [
      field(t("keys.machine"), h("input", { name: "name", required: true, maxlength: 60, autocomplete: "off" })),
      h("fieldset", null, h("legend", null, t("keys.scopes")), SCOPES.map((scope) => check(t(`scope.${scope}`), { name: scope }))),
      field(t("keys.days"), h("input", { name: "days", type: "number", min: 1, max: 366, required: true, value: 90 })),
    ],
    actions: [{ text: t("keys.add"), kind: "primary" }],
    submit: async (form) => {
      const typed = values(form);
      const scopes = SCOPES.filter((scope) => typed[scope]);
      if (scopes.length === 0) throw new Error(t("keys.none"));
      const { secret } = await post("/keys", { name: typed.name, days: Number(typed.days), scopes });
      showSecret({ title: t("keys.secret"), secrets: [{ label: t("keys.secret"), value: secret, hint: t("keys.secret.hint") }], closed: again });
    },
  });
}
