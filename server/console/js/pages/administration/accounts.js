// Accounts: who may sign in, and as what.

import { get, post, put } from "../../api.js";
import { h, field, replace, select, values } from "../../element.js";
import { attempt, dialog, tell } from "../../dialog.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { check } from "./bound.js";

addWords({
  "administration.accounts": ["Accounts", "アカウント"],
  "accounts.role": ["Role", "役割"],
  "accounts.state": ["State", "状態"],
  "accounts.open": ["May sign in", "サインイン可"],
  "accounts.disabled": ["Signing in is refused", "サインイン停止"],
  "accounts.add": ["Add an account", "アカウントを追加"],
  "accounts.change": ["Change", "変更"],
  "accounts.password": ["New password", "新しいパスワード"],
  "accounts.password.hint": ["8 to 256 characters. Their sessions end.", "8〜256文字。使用中のセッションは終了します。"],
  "accounts.first-password": ["8 to 256 characters", "8〜256文字"],
  "accounts.password.done": ["{} has a new password", "{} のパスワードを変更しました"],
  "accounts.operator.hint": ["With whose telephone or browser they listen to calls and speak.", "通話のモニターや会話に使う電話機・ブラウザのオペレーター。"],
  "accounts.ends": ["Sessions end where the role, the operator or the state changes.", "役割・オペレーター・状態を変更するとセッションは終了します。"],
});

/** What an administrator gives; the server's administrators keep their own kind alone. */
const ROLES = ["operator", "supervisor", "planner", "administrator", "auditor"];
const OF_SERVER = ["server-administrator"];

/** @typedef {{account: number, login: string, name: string, role: string, operator: number | null, disabled: boolean}} Account */

/** @type {import("../administration.js").Section} */
export const accountsSection = {
  key: "accounts",
  async open(into) {
    const place = accountsPlace(ROLES);
    into.append(place.element);
    await place.show();
  },
};

/** The accounts of the server's administrators, kept by themselves. */
export const serverAccounts = () => accountsPlace(OF_SERVER);

/** @param {string[]} roles that may be chosen @returns {Place} */
function accountsPlace(roles) {
  /** @type {Place} */
  const place = new Place(() => list(roles, () => attempt(() => place.refresh())));
  return place;
}

/** @param {string[]} roles @param {() => void} again */
async function list(roles, again) {
  /** @type {Account[]} */
  const found = await get("/accounts");
  return [
    h("div.heading", null, h("h2", null, t("administration.accounts")),
      h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => change(null, roles, again) }, t("accounts.add"))),
    table(t("administration.accounts"), [t("login"), t("name"), t("accounts.role"), t("operator.one"), t("accounts.state"), ""],
      found.map((it) => ({
        data: { account: it.login },
        cells: [it.login, it.name, t(`role.${it.role}`), names.operator(it.operator), it.disabled ? h("span.tag.bad", null, t("accounts.disabled")) : t("accounts.open"),
          // Of a kind that somebody else keeps there is nothing to press.
          roles.includes(it.role) && h("span.moves", null,
            h("button", { type: "button", "aria-label": `${t("accounts.change")}: ${it.login}`, data: { action: "change" }, onclick: () => change(it, roles, again) }, t("accounts.change")),
            h("button", { type: "button", "aria-label": `${t("accounts.password")}: ${it.login}`, data: { action: "password" }, onclick: () => password(it) }, t("accounts.password")))],
      })), { key: "accounts" }),
  ];
}

/** @param {Account | null} it `null` for a new one @param {string[]} roles @param {() => void} again */
function change(it, roles, again) {
  const whom = h("div");
  const role = /** @type {HTMLSelectElement} */ (select({ name: "role", onchange: () => show() }, roles.map((key) => [key, t(`role.${key}`)]), it?.role ?? roles[0]));
  const show = () => replace(whom, ["operator", "supervisor"].includes(role.value) && field(t("operator.one"),
    select({ name: "operator" }, role.value === "operator" ? [...names.operators] : [["", t("none")], ...names.operators], it?.operator ?? ""),
    role.value === "supervisor" ? t("accounts.operator.hint") : undefined));
  show();
  dialog({
    title: it ? `${t("accounts.change")}: ${it.login}` : t("accounts.add"),
    key: "account",
    content: [
      !it && field(t("login"), h("input", { name: "login", required: true, maxlength: 60, autocomplete: "off" })),
      !it && field(t("password"), h("input", { name: "password", type: "password", required: true, minlength: 8, maxlength: 256, autocomplete: "new-password" }), t("accounts.first-password")),
      field(t("name"), h("input", { name: "name", required: true, maxlength: 60, value: it?.name ?? "" })),
      field(t("accounts.role"), role), whom,
      it && check(t("accounts.disabled"), { name: "disabled", checked: it.disabled }, t("accounts.ends")),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { login, password: secret, name, role: chosen, operator, disabled = false } = values(form);
      const settings = { name, role: chosen, operator: operator === undefined || operator === "" ? null : Number(operator), disabled };
      await (it ? put(`/accounts/${it.account}`, settings) : post("/accounts", { login, password: secret, ...settings }));
      again();
    },
  });
}

/** @param {Account} it */
function password(it) {
  dialog({
    title: `${t("accounts.password")}: ${it.login}`,
    key: "password",
    content: [field(t("accounts.password"), h("input", { name: "password", type: "password", required: true, minlength: 8, maxlength: 256, autocomplete: "new-password" }), t("accounts.password.hint"))],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      await put(`/accounts/${it.account}/password`, { password: values(form).password });
      tell(t("accounts.password.done").replace("{}", it.login));
    },
  });
}
