// What waits in a queue, in the order in which it is served.

import { get } from "../../api.js";
import { h } from "../../element.js";
import { dialog } from "../../dialog.js";
import { length, ticking } from "../../time.js";
import { addWords, t } from "../../words.js";
import { follow } from "../shared/live.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { explainDialog } from "./explain.js";

addWords({
  "wallboard.position": ["Position", "順番"],
  "wallboard.what": ["What", "内容"],
  "wallboard.rings-at": ["Rings at", "呼出中の人数"],
  "wallboard.left": ["Still waits about", "残り予想"],
  "wallboard.nobody-waits": ["Nobody waits.", "待ちはありません。"],
  "work.call": ["Call {}", "通話 {}"],
  "work.chat": ["Chat {}", "チャット {}"],
  "work.ticket": ["Ticket {}", "チケット {}"],
  "work.callback": ["Callback {}", "コールバック {}"],
});

/** What waits or rings, in words. @param {Record<string, string>} work `{"call": "31-4"}` and its like */
export function workWords(work) {
  const [kind, reference] = Object.entries(work)[0];
  return t(`work.${kind}`).replace("{}", reference.split("-")[0]);
}

/** @param {{queue: number, name: string}} queue */
export function lineDialog(queue) {
  const place = new Place(async () => {
    const { line } = await get(`/queues/${queue.queue}`);
    const seconds = (/** @type {number} */ s) => length(1_000_000 * s);
    return table(queue.name,
      [t("wallboard.position"), t("wallboard.what"), { text: t("wallboard.priority"), figure: true }, { text: t("wallboard.waiting-since"), figure: true },
        { text: t("wallboard.rings-at"), figure: true }, { text: t("wallboard.left"), figure: true }, t("wallboard.actions")],
      line.map((/** @type {any} */ it) => ({
        data: { position: it.position },
        cells: [it.position, workWords(it.work), it.priority, ticking({ since: it.queued_us }), it.ringing,
          it.estimate ? `${seconds(it.estimate.expected_s)} (${seconds(it.estimate.low_s)}–${seconds(it.estimate.high_s)})` : "–",
          h("button", { type: "button", data: { action: "why", key: `why-${JSON.stringify(it.work)}` }, onclick: () => explainDialog(it.work) }, t("wallboard.why"))],
      })), { key: "line", empty: t("wallboard.nobody-waits") });
  });
  const stop = follow(({ event }) => event !== "chat-line", () => place.refresh(), 10_000);
  dialog({ title: t("wallboard.line").replace("{}", queue.name), key: "line", wide: true, content: [place.element], actions: [{ text: t("close") }], closed: stop });
  place.show();
}
