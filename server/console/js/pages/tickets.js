// Tickets: the list, and one with everything about it.

import { TicketList } from "./tickets/list.js";
import { TicketPage } from "./tickets/ticket.js";

/** @type {import("../main.js").Page} */
export const ticketsPage = {
  key: "tickets",
  roles: ["operator", "supervisor"],
  open(into, rest) {
    const page = rest[0] === undefined || rest[0] === "list" ? new TicketList(into, rest) : new TicketPage(into, Number(rest[0]));
    return () => page.close();
  },
};
