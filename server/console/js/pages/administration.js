import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const administrationPage = {
  key: "administration",
  roles: ["administrator"],
  open(into) {
    replace(into, h("h1", null, t("page.administration")));
  },
};
