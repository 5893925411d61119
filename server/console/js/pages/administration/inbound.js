// Numbers that customers dial, and where they lead.

import { get } from "../../api.js";
import { h, field, replace, select, values } from "../../element.js";
import { attempt, confirmed, dialog } from "../../dialog.js";
import { names } from "../../session.js";
import { addWords, t } from "../../words.js";
import { Place } from "../shared/place.js";
import { table } from "../supervision/table.js";
import { serviceOptions } from "./choices.js";
import { floor } from "./floor.js";

addWords({
  "administration.inbound": ["Inbound numbers", "着信番号"],
  "inbound.step": ["Enters the flow at step", "開始ステップ"],
  "inbound.add": ["Add a number", "番号を追加"],
  "inbound.remove": ["Calls to {} are refused from now on.", "{} への着信は今後拒否されます。"],
});

/** @type {import("../administration.js").Section} */
export const inboundSection = {
  key: "inbound",
  async open(into) {
    const place = new Place(() => list(() => attempt(() => place.refresh())));
    into.append(place.element);
    await place.show();
  },
};

/** @param {() => void} again */
async function list(again) {
  const found = await get("/floor/inbound-numbers");
  return [
    h("div.heading", null, h("h2", null, t("administration.inbound")),
      h("button", { type: "button", data: { action: "add", key: "add" }, onclick: () => add(again) }, t("inbound.add"))),
    table(t("administration.inbound"), [t("number"), t("service.one"), { text: t("inbound.step"), figure: true }, ""],
      found.map((/** @type {any} */ it) => ({
        data: { inbound: it.id },
        cells: [it.number, names.service(it.service), it.step, h("button.danger", {
          type: "button", "aria-label": `${t("remove")}: ${it.number}`, data: { action: "remove" }, onclick: async () => {
            if (!await confirmed(it.number, t("inbound.remove").replace("{}", it.number), t("remove"))) return;
            await attempt(() => floor.write("DELETE", `/floor/inbound-numbers/${it.id}`));
            again();
          },
        }, t("remove"))],
      })), { key: "inbound" }),
  ];
}

/** @param {() => void} again */
function add(again) {
  const steps = h("div");
  const service = /** @type {HTMLSelectElement} */ (select({ name: "service", onchange: () => show() }, serviceOptions()));
  const show = () => {
    const { flow } = floor.value.services[Number(service.value)];
    replace(steps, field(t("inbound.step"), select({ name: "step" },
      flow.map((/** @type {any} */ it, /** @type {number} */ n) => [n, `${n} ${t(`step.${it.step}`)}`]))));
  };
  show();
  dialog({
    title: t("inbound.add"),
    key: "inbound",
    content: [field(t("number"), h("input", { name: "number", type: "tel", required: true, maxlength: 32, autocomplete: "off" })), field(t("service.one"), service), steps],
    actions: [{ text: t("save"), kind: "primary" }],
    submit: async (form) => {
      const { number, service: chosen, step } = values(form);
      await floor.write("POST", "/floor/inbound-numbers", { number, service: Number(chosen), step: Number(step ?? 0) });
      again();
    },
  });
}
