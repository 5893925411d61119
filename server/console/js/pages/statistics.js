import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const statisticsPage = {
  key: "statistics",
  roles: ["supervisor", "planner", "administrator"],
  open(into) {
    replace(into, h("h1", null, t("page.statistics")));
  },
};
