import { h, replace } from "../element.js";
import { t } from "../words.js";

/** @type {import("../main.js").Page} */
export const ticketsPage = {
  key: "tickets",
  roles: ["operator", "supervisor"],
  open(into) {
    replace(into, h("h1", null, t("page.tickets")));
  },
};
