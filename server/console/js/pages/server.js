// What belongs to no organisation: the accounts of those who keep the server, and its certificates.

import { get, post } from "../api.js";
import { h, replace } from "../element.js";
import { attempt, tell } from "../dialog.js";
import { moment, serverNow } from "../time.js";
import { addWords, t } from "../words.js";
import { serverAccounts } from "./administration/accounts.js";
import { Place } from "./shared/place.js";
import { table } from "./supervision/table.js";

addWords({
  "page.server": ["Server", "サーバー"],
  "certificates": ["Certificates", "証明書"],
  "certificates.of": ["For", "用途"],
  "certificates.http": ["Console and API (HTTPS)", "コンソールとAPI (HTTPS)"],
  "certificates.sip": ["Telephones (SIP over TLS)", "電話機 (SIP over TLS)"],
  "certificates.names": ["Good for", "対象"],
  "certificates.ends": ["Until", "有効期限"],
  "certificates.soon": ["Ends soon", "期限間近"],
  "certificates.reload": ["Read the files again", "ファイルを再読み込み"],
  "certificates.reload.hint": ["After new files were put in place: whoever connects from then on is shown the new ones.", "新しいファイルを配置した後に押してください。以後の接続から新しい証明書が使われます。"],
  "certificates.reloaded": ["The certificates were read again", "証明書を再読み込みしました"],
  "certificates.none": [
    "None: this server speaks neither HTTPS nor SIP over TLS. server.toml: [http] certificate and key.",
    "ありません。このサーバーは HTTPS も SIP over TLS も使っていません。server.toml の [http] certificate と key で設定します。",
  ],
});

/** A certificate that ends within so long is marked. */
const SOON_S = 30 * 24 * 3_600;

/** @type {import("../main.js").Page} */
export const serverPage = {
  key: "server",
  roles: ["server-administrator"],
  open(into) {
    const accounts = serverAccounts();
    /** @type {Place} */
    const inUse = new Place(() => certificates(() => attempt(() => inUse.refresh())));
    replace(into, h("h1", null, t("page.server")), accounts.element, inUse.element);
    accounts.show();
    inUse.show();
  },
};

/** @param {() => unknown} again */
async function certificates(again) {
  /** @type {{of: "http" | "sip", names: string[], ends_s: number}[]} */
  const found = await get("/certificates");
  const reload = () => attempt(async () => {
    await post("/certificates/reload");
    tell(t("certificates.reloaded"));
    again();
  });
  return [
    h("div.heading", null, h("h2", null, t("certificates")),
      found.length > 0 && h("button", { type: "button", title: t("certificates.reload.hint"), data: { action: "reload", key: "reload" }, onclick: reload }, t("certificates.reload"))),
    table(t("certificates"), [t("certificates.of"), t("certificates.names"), t("certificates.ends")], found.map((it) => ({
      data: { certificate: it.of },
      cells: [t(`certificates.${it.of}`), h("span.roomy", null, it.names.join(", ")),
        [moment(1_000_000 * it.ends_s), it.ends_s - serverNow() / 1_000_000 < SOON_S && h("span.tag.bad", null, t("certificates.soon"))]],
    })), { key: "certificates", empty: t("certificates.none") }),
  ];
}
