// The organisation and its number plan (P4).

import { h, field } from "../../element.js";
import { addWords, t } from "../../words.js";
import { Bound } from "./bound.js";
import { edit } from "./editor.js";
import { audioOptions } from "./choices.js";

addWords({
  "administration.organisation": ["Organisation", "組織"],
  "organisation.sip-domain": ["SIP domain", "SIPドメイン"],
  "organisation.ring-back": ["Heard while a number rings", "呼出中に流す音声"],
  "organisation.tone": ["A tone", "呼出音"],
  "organisation.numbers": ["Number plan", "番号計画"],
  "organisation.country-code": ["Country code, without +", "国番号(+なし)"],
  "organisation.national-prefix": ["National prefix", "国内プレフィックス"],
  "organisation.international-prefix": ["International prefix", "国際プレフィックス"],
  "organisation.international": ["Numbers of other countries may be dialled", "国際発信を許可する"],
  "organisation.barred": ["Barred beginnings, one a line", "発信を禁止する番号の先頭(1行に1つ)"],
  "organisation.barred.hint": ["In national form: 0990 bars every number that begins so.", "国内形式。0990 と書くと 0990 で始まる番号すべてに発信できません。"],
});

/** @type {import("../administration.js").Section} */
export const organisationSection = {
  key: "organisation",
  open(into) {
    edit(into, {
      key: "organisation",
      title: () => t("administration.organisation"),
      read: ({ organisation }) => ({
        ...structuredClone(organisation), ring_back: organisation.ring_back ?? null, barred: organisation.numbers.barred.join("\n"),
      }),
      body(draft) {
        const own = new Bound(draft, "");
        const numbers = new Bound(draft.numbers, "numbers");
        const digits = { maxlength: 8, pattern: "[0-9]*", inputmode: "numeric" };
        return [
          h("fieldset.card", null,
            field(t("name"), own.text("name")),
            field(t("organisation.sip-domain"), own.text("sip_domain", { maxlength: 253 })),
            field(t("organisation.ring-back"), own.choice("ring_back", [[null, t("organisation.tone")], ...audioOptions()]))),
          h("fieldset.card", null, h("legend", null, t("organisation.numbers")),
            h("div.inline", null,
              field(t("organisation.country-code"), numbers.text("country_code", digits)),
              field(t("organisation.national-prefix"), numbers.text("national_prefix", { ...digits, required: false })),
              field(t("organisation.international-prefix"), numbers.text("international_prefix", { ...digits, required: false }))),
            numbers.flag("international", t("organisation.international")),
            field(t("organisation.barred"), own.area("barred"), t("organisation.barred.hint"))),
        ];
      },
      write({ barred, ...organisation }) {
        const numbers = { ...organisation.numbers, barred: barred.split(/\s+/).filter(Boolean) };
        return { method: "PUT", path: "/floor/organisation", body: { ...organisation, numbers } };
      },
    });
  },
};
