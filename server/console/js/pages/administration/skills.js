// Skills: names in an order; none can be taken away, as work may ask for it.

import { h } from "../../element.js";
import { addWords, t } from "../../words.js";
import { Bound } from "./bound.js";
import { edit } from "./editor.js";

addWords({
  "administration.skills": ["Skills", "スキル"],
  "skills.hint": ["Names can change and skills can be added; none can be removed.", "名前の変更と追加ができます。削除はできません。"],
  "skills.add": ["Add a skill", "スキルを追加"],
  "skills.number": ["Skill {}", "スキル {}"],
});

/** @type {import("../administration.js").Section} */
export const skillsSection = {
  key: "skills",
  open(into) {
    edit(into, {
      key: "skills",
      title: () => t("administration.skills"),
      words: () => t("administration.skills"),
      read: ({ skills }) => ({ skills: [...skills] }),
      body: (draft, again) => {
        const own = new Bound(draft.skills, "skill");
        return [h("fieldset.card", null,
          h("p.small", null, t("skills.hint")),
          h("ol.entries", { start: 0 }, draft.skills.map((/** @type {string} */ _, /** @type {number} */ n) =>
            h("li", null, own.text(String(n), { "aria-label": t("skills.number").replace("{}", String(n)) })))),
          h("button", { type: "button", data: { action: "add-skill", key: "add-skill" }, onclick: () => { draft.skills.push(""); again(); } }, t("skills.add")))];
      },
      write: ({ skills }) => ({ method: "PUT", path: "/floor/skills", body: skills }),
    });
  },
};
