// A secret that is shown once, to be copied.

import { h, field } from "../../element.js";
import { dialog } from "../../dialog.js";
import { t } from "../../words.js";

/** @param {{title: string, secrets: {label: string, value: string, hint?: string}[], closed: () => void}} of */
export function showSecret({ title, secrets, closed }) {
  dialog({
    title, key: "secret", closed,
    content: secrets.flatMap(({ label, value, hint }, at) => {
      const shown = /** @type {HTMLInputElement} */ (h("input", { readonly: true, value, data: { secret: at === 0 ? "" : String(at) }, onfocus: () => shown.select() }));
      const copy = h("button", { type: "button", "aria-label": `${t("keys.copy")}: ${label}`, onclick: async () => {
        shown.select();
        // Without a secure context there is no clipboard: what is selected can be copied by hand.
        await navigator.clipboard?.writeText(value).then(() => { copy.textContent = t("keys.copied"); }, () => {});
      } }, t("keys.copy"));
      return [field(label, shown, hint), copy];
    }),
  });
}
