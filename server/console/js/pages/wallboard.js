import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const wallboardPage = {
  key: "wallboard",
  roles: ["supervisor"],
  open(into) {
    replace(into, h("h1", null, t("page.wallboard")));
  },
};
