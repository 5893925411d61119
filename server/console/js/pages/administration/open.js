// The open API: keys of the organisation's own systems by service, and the systems that the server asks.

import { get, post, put, remove } from "../../api.js";
import { h, field, replace, select, values } from "../../element.js";
import { attempt, confirmed, dialog } from "../../dialog.js";
import { names } from "../../session.js";
import { moment, serverNow } from "../../time.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { showSecret } from "../shared/secret.js";
import { table } from "../supervision/table.js";
import { check } from "./bound.js";
import { serviceOptions } from "./choices.js";

addWords({
  "administration.open": ["Open API", "オープンAPI"],
  "open.keys": ["Keys of your systems", "自社システムのキー"],
  "open.keys.hint": ["For your own web site, shop or members' pages. Every request is signed with the key's secret.", "自社サイト・ショップ・会員ページ用です。すべてのリクエストはキーの秘密で署名します。"],
  "open.add": ["Make a key", "キーを作成"],
  "open.system": ["Which system has it", "使用するシステム"],
  "open.number": ["Key's number", "キー番号"],
  "open.days": ["Days until it ends (1-732)", "有効日数(1〜732)"],
  "open-scope.content:read": ["Notices, FAQ, what forms need", "お知らせ・FAQ・フォーム項目の参照"],
  "open-scope.inquiries:read": ["Reads members' inquiries", "会員の問い合わせの参照"],
  "open-scope.inquiries:write": ["Makes inquiries and goes on with them", "問い合わせの作成・返信"],
  "open-scope.members:check": ["Has members' tokens checked", "会員トークンの照会"],
  "open.none": ["Choose at least one", "一つ以上選択してください"],
  "open.secret": ["The key's secret", "キーの秘密"],
  "open.secret.hint": ["It is shown this once. It signs requests: docs/open-api.md says how.", "この一度だけ表示されます。リクエストの署名に使用します。"],
  "open.links": ["Systems that are asked", "照会先のシステム"],
  "open.links.hint": ["The server asks these systems of yours, by requests signed with their secrets.", "サーバーから自社システムへ、秘密で署名したリクエストで照会します。"],
  "link.member-authentication": ["Is a member's token right?", "会員トークンの照会"],
  "link.customer-information": ["What is known of a customer?", "顧客情報の照会"],
  "link.system": ["Asked for", "用途"],
  "link.address": ["Address", "アドレス"],
  "link.method": ["Asked by", "メソッド"],
  "link.time": ["Time limit (ms)", "制限時間(ミリ秒)"],
  "link.secret": ["Secret", "秘密"],
  "link.has-secret": ["There is one", "あり"],
  "link.no-secret": ["None: it is not asked", "なし(照会しません)"],
  "link.set": ["Set", "設定"],
  "link.make-secret": ["Make a secret", "秘密を作成"],
  "link.make-secret.text": ["The secret of before signs nothing any more.", "以前の秘密は使えなくなります。"],
  "link.remove.text": ["The system is no longer asked; its secret is forgotten.", "照会を停止し、秘密を削除します。"],
});

const SCOPES = ["content:read", "inquiries:read", "inquiries:write", "members:check"];
const LINKS = ["member-authentication", "customer-information"];

/** @type {import("../administration.js").Section} */
export const openSection = {
  key: "open",
  async open(into) {
    const place = new Place(() => list(() => attempt(() => place.refresh())));
    into.append(place.element);
    await place.show();
  },
};

/** @param {() => void} again */
async function list(again) {
  const [found, linked] = await Promise.all([get("/open-keys"), get("/linked-systems")]);
  const state = (/** @type {any} */ it) => (it.revoked_us ? "revoked" : it.until_us <= serverNow() ? "over" : "good");
  return [
    h("div.heading", null, h("h2", null, t("open.keys")),
      h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => make(again) }, t("open.add"))),
    h("p.small", null, t("open.keys.hint")),
    table(t("open.keys"), [{ text: t("open.number"), figure: true }, t("name"), t("keys.scopes"), t("keys.made"), t("keys.until"), t("keys.state"), ""],
      found.map((/** @type {any} */ it) => ({
        data: { openKey: it.id },
        cells: [it.id, it.name,
          it.grants.map((/** @type {any} */ grant) => h("span.roomy", null, `${names.service(grant.service)}: ${grant.scopes.map((/** @type {string} */ scope) => t(`open-scope.${scope}`)).join(", ")}`)),
          moment(it.made_us), moment(it.until_us), t(`keys.${state(it)}`),
          state(it) === "good" && h("button.danger", {
            type: "button", "aria-label": `${t("keys.revoke")}: ${it.name}`, data: { action: "revoke" }, onclick: async () => {
              if (!await confirmed(it.name, t("keys.revoke.text").replace("{}", it.name), t("keys.revoke"))) return;
              await attempt(() => remove(`/open-keys/${it.id}`));
              again();
            },
          }, t("keys.revoke"))],
      })), { key: "open-keys" }),
    h("div.heading", null, h("h2", null, t("open.links"))),
    h("p.small", null, t("open.links.hint")),
    table(t("open.links"), [t("link.system"), t("link.address"), t("link.method"), { text: t("link.time"), figure: true }, t("link.secret"), ""],
      LINKS.map((link) => {
        const it = linked.find((/** @type {any} */ one) => one.link === link);
        const button = (/** @type {string} */ action, /** @type {string} */ text, /** @type {() => unknown} */ press, kind = "plain") =>
          h(`button.${kind}`, { type: "button", "aria-label": `${text}: ${t(`link.${link}`)}`, data: { action }, onclick: press }, text);
        return {
          data: { link },
          cells: [t(`link.${link}`), h("span.roomy", null, it?.settings.address ?? t("none")), it?.settings.method ?? "", it?.settings.time_limit_ms ?? "",
            it ? t(it.has_secret ? "link.has-secret" : "link.no-secret") : "",
            h("span.moves", null, button("set", t("link.set"), () => set(link, it, again)),
              it && button("secret", t("link.make-secret"), () => secret(link, it.has_secret, again)),
              it && button("remove", t("remove"), async () => {
                if (!await confirmed(t(`link.${link}`), t("link.remove.text"), t("remove"))) return;
                await attempt(() => remove(`/linked-systems/${link}`));
                again();
              }, "danger"))],
        };
      }), { key: "links" }),
  ];
}

/** @param {() => void} again */
function make(again) {
  const services = serviceOptions();
  dialog({
    title: t("open.add"),
    key: "open-key",
    wide: true,
    content: [
      field(t("open.system"), h("input", { name: "name", required: true, maxlength: 60, autocomplete: "off" })),
      services.map(([service, name]) => h("fieldset", null, h("legend", null, name), SCOPES.map((scope) => check(t(`open-scope.${scope}`), { name: `${service} ${scope}` })))),
      field(t("open.days"), h("input", { name: "days", type: "number", min: 1, max: 732, required: true, value: 366 })),
    ].flat(),
    actions: [{ text: t("open.add"), kind: "primary" }],
    submit: async (form) => {
      const typed = values(form);
      const grants = services.map(([service]) => ({ service, scopes: SCOPES.filter((scope) => typed[`${service} ${scope}`]) })).filter((it) => it.scopes.length > 0);
      if (grants.length === 0) throw new Error(t("open.none"));
      const made = await post("/open-keys", { name: typed.name, days: Number(typed.days), grants });
      showSecret({ title: t("open.secret"), closed: again, secrets: [
        { label: t("open.secret"), value: made.secret, hint: t("open.secret.hint") }, { label: t("open.number"), value: String(made.id) },
      ] });
    },
  });
}

/** @param {string} link @param {any} it undefined where none is set @param {() => void} again */
function set(link, it, again) {
  dialog({
    title: t(`link.${link}`),
    key: "link",
    content: [
      field(t("link.address"), h("input.whole", { name: "address", type: "url", required: true, maxlength: 500, placeholder: "https://", value: it?.settings.address ?? "", autocomplete: "off" })),
      field(t("link.method"), select({ name: "method" }, [["POST", "POST"], ["GET", "GET"]], it?.settings.method ?? "POST")),
      field(t("link.time"), h("input", { name: "limit", type: "number", min: 100, max: 10_000, required: true, value: it?.settings.time_limit_ms ?? 2_000 })),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { address, method, limit } = values(form);
      await put(`/linked-systems/${link}`, { address, method, time_limit_ms: Number(limit) });
      again();
    },
  });
}

/** @param {string} link @param {boolean} hasOne @param {() => void} again */
async function secret(link, hasOne, again) {
  if (hasOne && !await confirmed(t("link.make-secret"), t("link.make-secret.text"), t("link.make-secret"))) return;
  const made = /** @type {any} */ (await attempt(() => post(`/linked-systems/${link}/secret`)));
  if (made) showSecret({ title: t(`link.${link}`), closed: again, secrets: [{ label: t("link.secret"), value: made.secret, hint: t("open.secret.hint") }] });
}
