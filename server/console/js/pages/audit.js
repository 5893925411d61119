import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const auditPage = {
  key: "audit",
  roles: ["administrator", "auditor"],
  open(into) {
    replace(into, h("h1", null, t("page.audit")));
  },
};
