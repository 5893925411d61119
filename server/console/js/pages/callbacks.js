// Callbacks: those that are on their way, and those that are over.

import { get, post } from "../api.js";
import { h, replace } from "../element.js";
import { attempt, confirmed, tell } from "../dialog.js";
import { names } from "../session.js";
import { moment, ticking } from "../time.js";
import { addWords, t } from "../words.js";
import { dialled } from "./shared/dial.js";
import { follow } from "./shared/live.js";
import { Place } from "./shared/place.js";
import { callLink, numberOf, owner, say } from "./shared/say.js";
import { Pager, table } from "./shared/table.js";

addWords({
  "callback.live": ["On their way", "進行中"],
  "callback.all": ["All", "すべて"],
  "callback.received": ["Received", "受付"],
  "callback.assigned": ["Assigned", "割り当て済み"],
  "callback.dialled": ["Dialled", "発信済み"],
  "callback.completed": ["Completed", "完了"],
  "callback.given-up": ["Given up", "断念"],
  "callback.cancelled": ["Cancelled", "取消"],
  "callback.asked": ["Asked for", "受付日時"],
  "callback.changed": ["Changed", "更新日時"],
  "callback.waits": ["Waits", "待ち"],
  "callback.attempts": ["Dials", "発信回数"],
  "callback.last-dial": ["Last dial", "最後の発信"],
  "callback.from-call": ["From", "元の通話"],
  "callback.cancel": ["Cancel callback", "コールバックを取消"],
  "callback.cancel.text": ["The callback to {name} is taken back: nobody will dial it.", "{name} へのコールバックを取り消します。発信されなくなります。"],
  "callback.done": ["The callback is cancelled", "コールバックを取り消しました"],
});

const OVER = ["completed", "given-up", "cancelled"];
const PAGE = 50;

/** @param {any} callback @param {() => void} again */
function row(callback, again) {
  const over = OVER.includes(callback.state);
  const name = callback.name ? `${callback.name} (${callback.number})` : callback.number;
  const cancel = async () => {
    if (!await confirmed(t("callback.cancel"), say("callback.cancel.text", { name }), t("callback.cancel"))) return;
    if (await attempt(() => post(`/callbacks/${callback.callback}/cancel`))) tell(t("callback.done"));
    again();
  };
  return h("tr", { data: { callback: callback.callback } },
    h("td", null, h("span.tag", { data: { callbackState: callback.state } }, t(`callback.${callback.state}`))),
    h("td.subject", null, callback.name ?? ""),
    h("td", null, dialled(callback.number)),
    h("td", null, names.queue(callback.queue)),
    h("td", null, callback.operator === null ? "" : owner(callback.operator)),
    h("td", null, moment(callback.received_us)),
    h("td.figure", null, over ? moment(callback.changed_us) : ticking({ since: callback.received_us })),
    h("td.figure", null, callback.attempts),
    h("td", null, callback.call ? callLink(numberOf(callback.call)) : ""),
    h("td", null, callback.from_call ? callLink(numberOf(callback.from_call)) : ""),
    h("td", null, over ? "" : h("button.danger", { type: "button", "aria-label": `${t("cancel")}: ${name}`, data: { key: `cancel-${callback.callback}` }, onclick: cancel }, t("cancel"))));
}

/** @type {import("../main.js").Page} */
export const callbacksPage = {
  key: "callbacks",
  roles: ["operator", "supervisor"],
  open(into) {
    let live = true;
    const place = new Place(async () => {
      const found = await get("/callbacks", { live, before: pager.after, limit: PAGE });
      pager.show(found.length === PAGE ? found[PAGE - 1].sequence : null);
      return table(t("page.callbacks"), [
        t("shared.state"), t("name"), t("number"), t("shared.queue"), t("shared.operator"), t("callback.asked"),
        `#${t(live ? "callback.waits" : "callback.changed")}`, `#${t("callback.attempts")}`, t("callback.last-dial"), t("callback.from-call"),
        h("span.unseen", null, t("cancel")),
      ], found.map((/** @type {any} */ it) => row(it, () => place.refresh())));
    });
    const pager = new Pager(() => place.show());
    const tab = (/** @type {boolean} */ which, /** @type {string} */ text) => h("button.tab", {
      type: "button", "aria-pressed": String(live === which), data: { key: which ? "live" : "all" },
      onclick: () => {
        live = which;
        pager.first();
        replace(tabs, tab(true, t("callback.live")), tab(false, t("callback.all")));
        place.show();
      },
    }, text);
    const tabs = h("div.tabs", { role: "group", "aria-label": t("shared.state") }, tab(true, t("callback.live")), tab(false, t("callback.all")));
    replace(into, h("h1", null, t("page.callbacks")), tabs, place.element, pager.element);
    place.show();
    return follow((it) => Boolean(it.callback ?? it.work?.callback) || it.event === "dial-answered", () => place.refresh());
  },
};
