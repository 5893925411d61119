import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const callbacksPage = {
  key: "callbacks",
  roles: ["operator", "supervisor"],
  open(into) {
    replace(into, h("h1", null, t("page.callbacks")));
  },
};
