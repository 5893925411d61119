// The organisations of the server: made, changed, suspended and served again by its administrators.

import { get, post, put } from "../api.js";
import { h, field, replace, values } from "../element.js";
import { attempt, confirmed, dialog } from "../dialog.js";
import { moment } from "../time.js";
import { addWords, t } from "../words.js";
import { Place } from "./shared/place.js";
import { showSecret } from "./shared/secret.js";
import { table } from "./supervision/table.js";

addWords({
  "page.organisations": ["Organisations", "組織"],
  "organisations.id": ["Name in addresses", "識別名"],
  "organisations.id.hint": ["For good: 1 to 32 of a-z, 0-9 and hyphens", "変更不可。英小文字・数字・ハイフン、1〜32文字"],
  "organisations.name": ["As people see it", "表示名"],
  "organisations.domain": ["SIP domain", "SIPドメイン"],
  "organisations.domain.hint": ["For good: its telephones register there", "変更不可。電話機の登録先"],
  "organisations.numbers": ["Numbers that lead to it", "着信番号"],
  "organisations.numbers.hint": ["One a line, in every form in which carriers send it", "1行に1つ。回線から届く形式ごとに登録"],
  "organisations.state": ["State", "状態"],
  "organisations.served": ["Served", "稼働中"],
  "organisations.suspended": ["Suspended", "停止中"],
  "organisations.in-trouble": ["In trouble", "障害"],
  "organisations.made": ["Made", "作成"],
  "organisations.add": ["Make an organisation", "組織を作成"],
  "organisations.change": ["Change", "変更"],
  "organisations.limits": ["Limits", "上限"],
  "organisations.limits.hint": ["Empty: no limit", "空欄: 上限なし"],
  "organisations.limits.operators": ["Operators", "オペレーター数"],
  "organisations.limits.services": ["Services", "サービス数"],
  "organisations.limits.waiting_calls": ["Calls waiting at once", "同時に待つ通話数"],
  "organisations.limits.waiting_chats": ["Chats waiting at once", "同時に待つチャット数"],
  "organisations.limits.files_mib": ["Customers' files (MiB)", "添付ファイルの合計(MiB)"],
  "organisations.suspend": ["Suspend", "停止"],
  "organisations.suspend.text": ["Nobody of {} is let in, its calls are hung up, its telephones are refused. What is stored stays.", "{} の利用者はサインインできなくなり、通話は切断されます。保存データは残ります。"],
  "organisations.resume": ["Serve again", "再開"],
  "organisations.administrator": ["Add an administrator", "管理者を追加"],
  "organisations.first": ["Login of its first administrator", "最初の管理者のログイン名"],
  "organisations.login": ["Login", "ログイン名"],
  "organisations.sign-in": ["Signs in as", "サインイン名"],
  "organisations.password": ["Password", "パスワード"],
  "organisations.password.hint": ["It is shown this once: they change it when they have signed in.", "この一度だけ表示されます。サインイン後に変更してください。"],
  "organisations.main": ["The main organisation", "メインの組織"],
});

/** @type {import("../main.js").Page} */
export const organisationsPage = {
  key: "organisations",
  roles: ["server-administrator"],
  open(into) {
    /** @type {Place} */
    const place = new Place(() => list(() => attempt(() => place.refresh())));
    replace(into, h("div.heading", null, h("h1", null, t("page.organisations")),
      h("button.primary", { type: "button", data: { action: "add" }, onclick: () => make(() => place.refresh()) }, t("organisations.add"))), place.element);
    place.show();
  },
};

/** @param {() => unknown} again */
async function list(again) {
  const found = await get("/organisations");
  return table(t("page.organisations"), [t("organisations.id"), t("organisations.name"), t("organisations.domain"), t("organisations.numbers"), t("organisations.state"), t("organisations.made"), ""],
    found.map((/** @type {any} */ it) => ({
      data: { organisation: it.organisation },
      cells: [it.organisation, it.name ?? h("span.faint", null, t("organisations.main")), it.sip_domain, h("span.roomy", null, it.numbers.join(", ")),
        [h("span.tag", { data: { organisationState: it.state } }, t(`organisations.${it.state}`)), it.trouble && h("small.roomy", null, it.trouble)], moment(it.made_us),
        it.name !== null && h("span.moves", null,
          button("change", it, () => change(it, again)),
          button("limits", it, () => limit(it, again)),
          it.state === "served" && button("administrator", it, () => administrator(it)),
          it.state !== "suspended" && button("suspend", it, async () => {
            if (!await confirmed(it.name, t("organisations.suspend.text").replace("{}", it.name), t("organisations.suspend"))) return;
            await attempt(() => post(`/organisations/${it.organisation}/suspend`));
            again();
          }, "danger"),
          it.state !== "served" && button("resume", it, async () => {
            await attempt(() => post(`/organisations/${it.organisation}/resume`));
            again();
          }))],
    })), { key: "organisations" });
}

/** @param {string} action @param {any} it @param {() => unknown} press @param {string} [kind] */
function button(action, it, press, kind = "plain") {
  const text = t(`organisations.${action}`);
  return h(`button.${kind}`, { type: "button", "aria-label": `${text}: ${it.name}`, data: { action }, onclick: press }, text);
}

const lines = (/** @type {string} */ text) => text.split(/\s+/).filter(Boolean);

/** @param {() => unknown} again */
function make(again) {
  dialog({
    title: t("organisations.add"),
    key: "organisation",
    content: [
      field(t("organisations.id"), h("input", { name: "organisation", required: true, maxlength: 32, pattern: "[a-z0-9]([a-z0-9\\-]*[a-z0-9])?", autocomplete: "off" }), t("organisations.id.hint")),
      field(t("organisations.name"), h("input", { name: "name", required: true, maxlength: 60, autocomplete: "off" })),
      field(t("organisations.domain"), h("input", { name: "sip_domain", required: true, maxlength: 253, autocomplete: "off" }), t("organisations.domain.hint")),
      field(t("organisations.numbers"), h("textarea", { name: "numbers", rows: 3 }), t("organisations.numbers.hint")),
      field(t("organisations.first"), h("input", { name: "administrator", required: true, maxlength: 60, value: "admin", autocomplete: "off" })),
    ],
    actions: [{ text: t("organisations.add"), kind: "primary" }],
    submit: async (form) => {
      const { numbers, ...typed } = values(form);
      const made = await post("/organisations", { ...typed, numbers: lines(numbers) });
      tellPassword(made, typed.organisation, again);
    },
  });
}

/** @param {{administrator: string, password: string}} made @param {string} organisation @param {() => unknown} again */
function tellPassword(made, organisation, again) {
  showSecret({ title: t("organisations.password"), closed: () => { again(); }, secrets: [
    { label: t("organisations.password"), value: made.password, hint: t("organisations.password.hint") },
    { label: t("organisations.sign-in"), value: `${made.administrator}@${organisation}` },
  ] });
}

/** @param {any} it @param {() => unknown} again */
function change(it, again) {
  dialog({
    title: `${t("organisations.change")}: ${it.organisation}`,
    key: "organisation",
    content: [
      field(t("organisations.name"), h("input", { name: "name", required: true, maxlength: 60, value: it.name, autocomplete: "off" })),
      field(t("organisations.numbers"), h("textarea", { name: "numbers", rows: 3, value: it.numbers.join("\n") }), t("organisations.numbers.hint")),
    ],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { name, numbers } = values(form);
      await put(`/organisations/${it.organisation}`, { name, numbers: lines(numbers) });
      again();
    },
  });
}

/** @param {any} it @param {() => unknown} again */
function limit(it, again) {
  const known = Object.entries(it.limits);
  dialog({
    title: `${t("organisations.limits")}: ${it.organisation}`,
    key: "limits",
    content: known.map(([name, most]) => field(t(`organisations.limits.${name}`),
      h("input", { name, type: "number", min: 0, max: 4_294_967_295, value: most ?? "", autocomplete: "off" }), t("organisations.limits.hint"))),
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const typed = values(form);
      await put(`/organisations/${it.organisation}/limits`, Object.fromEntries(known.map(([name]) => [name, typed[name] === "" ? null : Number(typed[name])])));
      again();
    },
  });
}

/** @param {any} it */
function administrator(it) {
  dialog({
    title: `${t("organisations.administrator")}: ${it.name}`,
    key: "administrator",
    content: [field(t("organisations.login"), h("input", { name: "login", required: true, maxlength: 60, autocomplete: "off" }))],
    actions: [{ text: t("organisations.administrator"), kind: "primary" }],
    submit: async (form) => {
      const made = await post(`/organisations/${it.organisation}/administrators`, { administrator: values(form).login });
      tellPassword(made, it.organisation, () => {});
    },
  });
}
