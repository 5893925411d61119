// Dial (P28, P44), transfer with its three ways (P49, P50), forced end (P37, P55).

import { get, post } from "../api.js";
import { h, field, replace, select, values } from "../element.js";
import { attempt, dialog, show } from "../dialog.js";
import { t } from "../words.js";

/** @typedef {import("./phone.js").Phone} Phone */

/** @param {Phone} phone @param {string} [to] a number to begin with */
export function dialDialog(phone, to = "") {
  const services = phone.desk.services.filter((/** @type {any} */ it) => it.outbound && it.outgoing.length > 0);
  const outgoing = h("div");
  const service = select({ name: "service", onchange: () => numbers() }, services.map((/** @type {any} */ it) => [it.service, it.name]));
  const numbers = () => {
    const chosen = services.find((/** @type {any} */ it) => String(it.service) === /** @type {HTMLSelectElement} */ (service).value);
    // P7: only the Confirmed ones, in their order, the first preselected.
    replace(outgoing, field(t("phone.outgoing-number"), select({ name: "from" }, (chosen?.outgoing ?? []).map((/** @type {string} */ it) => [it, it]))));
  };
  numbers();
  dialog({
    title: t("phone.dial"),
    key: "dial",
    content: [
      field(t("phone.customer-number"), h("input", { name: "to", type: "tel", required: true, value: to, autofocus: true, autocomplete: "off", maxlength: 32 })),
      services.length > 1 ? field(t("phone.service"), service) : null,
      outgoing,
    ],
    submit: (form) => {
      const { to, from } = values(form);
      const chosen = Number(/** @type {HTMLSelectElement} */ (service).value);
      return phone.order("POST", "dial", { to, from: from || null, service: services.length > 0 ? chosen : null });
    },
  });
}

/** @param {Phone} phone */
export function transferDialog(phone) {
  const consult = (/** @type {unknown} */ target) => async () => {
    if (await attempt(() => phone.order("POST", "consult", target))) open.close();
  };
  const blind = (/** @type {unknown} */ target) => async () => {
    if (await attempt(() => phone.order("POST", "transfer", target))) open.close();
  };
  const typed = /** @type {HTMLInputElement} */ (h("input", { name: "number", type: "tel", autocomplete: "off", autofocus: true, maxlength: 32 }));
  const found = h("div.people", { "aria-live": "polite" });
  const search = h("input", { type: "search", "aria-label": t("search"), placeholder: t("search"),
    oninput: (/** @type {Event} */ event) => people(/** @type {HTMLInputElement} */ (event.target).value) });
  const people = (/** @type {string} */ q) => show(found, async () => {
    const ready = (await get("/operators", { q, status: "ready", limit: 50 })).filter((/** @type {any} */ it) => it.operator !== phone.operator);
    if (ready.length === 0) return h("p.empty", null, t("phone.nobody-ready"));
    return h("ul.rows", null, ready.map((/** @type {any} */ it) => h("li", null,
      h("span", null, it.name, it.cti_number ? h("small", null, ` ${it.cti_number}`) : null,
        h("small.skills", null, it.skills.map((/** @type {any} */ skill) => ` ${skill.name} ${skill.proficiency}`).join(","))),
      h("button", { type: "button", onclick: consult({ operator: it.operator }), data: { connect: `operator-${it.operator}` } }, t("phone.connect")),
      h("button.quiet", { type: "button", title: t("phone.blind"), "aria-label": `${t("phone.blind")}: ${it.name}`, onclick: blind({ operator: it.operator }) }, "⇥"))));
  });
  const favourites = h("ul.rows");
  const list = () => {
    const service = phone.desk.services.find((/** @type {any} */ it) => it.service === phone.desk.call?.service);
    const shared = (service?.favourites ?? []).map((/** @type {any} */ it) => ({ ...it, target: { favourite: it.id } }));
    const own = phone.desk.own_favourites.map((/** @type {any} */ it) => ({ ...it, target: { "own-favourite": it.id } }));
    replace(favourites, [...shared, ...own].map((it) => h("li", null,
      h("span", null, it.name, " ", h("small", null, it.number)),
      h("button", { type: "button", onclick: consult(it.target), data: { connect: `favourite-${it.number}` } }, t("phone.connect")),
      h("button.quiet", { type: "button", title: t("phone.blind"), "aria-label": `${t("phone.blind")}: ${it.name}`, onclick: blind({ number: it.number }) }, "⇥"))));
    if (favourites.childElementCount === 0) replace(favourites, h("li.empty", null, t("nothing")));
  };
  list();
  const addName = /** @type {HTMLInputElement} */ (h("input", { "aria-label": t("name"), placeholder: t("name"), maxlength: 60 }));
  const addNumber = /** @type {HTMLInputElement} */ (h("input", { "aria-label": t("number"), placeholder: t("number"), type: "tel", maxlength: 32 }));
  const add = async () => {
    const added = await attempt(() => post(`${phone.path}/favourites`, { name: addName.value, number: addNumber.value }));
    if (!added) return;
    addName.value = "";
    addNumber.value = "";
    await phone.load();
    list();
  };
  const open = dialog({
    title: t("phone.transfer"),
    key: "transfer",
    wide: true,
    actions: [{ text: t("close"), name: "close" }],
    content: [h("div.three", null,
      h("section", null, h("h3", null, t("phone.typed")),
        field(t("number"), typed),
        h("div.buttons", null,
          h("button.primary", { type: "button", data: { connect: "typed" }, onclick: () => consult({ number: typed.value })() }, t("phone.consult")),
          h("button.quiet", { type: "button", onclick: () => blind({ number: typed.value })() }, t("phone.blind")))),
      h("section", null, h("h3", null, t("phone.favourites")), favourites,
        h("div.inline", null, addName, addNumber, h("button", { type: "button", onclick: add }, t("phone.add-favourite")))),
      h("section", null, h("h3", null, t("phone.operators")), search, found))],
  });
  people("");
}

/** @param {Phone} phone */
export function forceEndDialog(phone) {
  dialog({
    title: t("phone.force-end"),
    key: "force-end",
    content: [
      h("p", null, t("phone.force-end.text")),
      field(t("phone.reason"), select({ name: "reason" }, ["abuse", "threat", "other"].map((it) => [it, t(`phone.force-end.${it}`)]))),
      field(t("phone.announcement"), h("textarea", { name: "text", rows: 3, maxlength: 500 }), t("phone.announcement.hint")),
    ],
    actions: [{ text: t("cancel"), name: "cancel" }, { text: t("ok"), name: "ok", kind: "danger" }],
    submit: async (form, action) => {
      if (action !== "ok") return;
      const { reason, text } = values(form);
      await phone.order("POST", "force-end", { reason, announcement: text.trim() ? { text: text.trim() } : null });
    },
  });
}
