// Administration: everything that is configured, a section each.

import { h, replace } from "../element.js";
import { show } from "../dialog.js";
import { addWords, t } from "../words.js";
import { floor } from "./administration/floor.js";
import { organisationSection } from "./administration/organisation.js";
import { servicesSection } from "./administration/services.js";
import { queuesSection } from "./administration/queues.js";
import { operatorsSection } from "./administration/operators.js";
import { skillsSection } from "./administration/skills.js";
import { inboundSection } from "./administration/inbound.js";
import { reasonsSection } from "./administration/reasons.js";
import { audioSection } from "./administration/audio.js";
import { ticketsSection } from "./administration/tickets.js";
import { accountsSection } from "./administration/accounts.js";
import { keysSection } from "./administration/keys.js";
import { articlesSection } from "./administration/articles.js";
import { openSection } from "./administration/open.js";

addWords({
  "administration.sections": ["Sections of administration", "管理メニュー"],
});

/** @typedef {{key: string, open: (into: Element, rest: string[]) => void | Promise<void>}} Section `rest`: what of the address
 * follows the section's key. The floor has been read when it is opened. */

/** @type {Section[]} */
const sections = [
  organisationSection, servicesSection, queuesSection, operatorsSection, skillsSection, inboundSection, reasonsSection, audioSection,
  ticketsSection, articlesSection, accountsSection, keysSection, openSection,
];

/** @type {import("../main.js").Page} */
export const administrationPage = {
  key: "administration",
  roles: ["administrator"],
  open(into, [key, ...rest]) {
    const section = sections.find((it) => it.key === key) ?? sections[0];
    const content = h("div.section", { data: { section: section.key } }, h("p.loading", null, t("loading")));
    const links = sections.map((it) => h("a", {
      href: `#/administration/${it.key}`, "aria-current": it === section ? "page" : null, data: { section: it.key },
    }, t(`administration.${it.key}`)));
    replace(into,
      h("h1", null, t("page.administration")),
      h("div.administration", null, h("nav.sections", { "aria-label": t("administration.sections") }, links), content));
    show(content, async () => {
      await floor.load();
      const page = h("div");
      await section.open(page, rest);
      return page;
    });
  },
};
