import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const surveysPage = {
  key: "surveys",
  roles: ["operator", "supervisor", "planner", "administrator", "auditor"],
  open(into) {
    replace(into, h("h1", null, t("page.surveys")));
  },
};
