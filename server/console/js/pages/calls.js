import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const callsPage = {
  key: "calls",
  roles: ["operator", "supervisor", "planner"],
  open(into) {
    replace(into, h("h1", null, t("page.calls")));
  },
};
