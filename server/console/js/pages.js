// The pages, in the order of the menu, each with the roles that have it.

import { ticketsPage } from "./pages/tickets.js";
import { chatsPage } from "./pages/chats.js";
import { callbacksPage } from "./pages/callbacks.js";
import { customersPage } from "./pages/customers.js";
import { callsPage } from "./pages/calls.js";
import { wallboardPage } from "./pages/wallboard.js";
import { statisticsPage } from "./pages/statistics.js";
import { planPage } from "./pages/plan.js";
import { surveysPage } from "./pages/surveys.js";
import { administrationPage } from "./pages/administration.js";
import { auditPage } from "./pages/audit.js";
import { organisationsPage } from "./pages/organisations.js";
import { serverPage } from "./pages/server.js";

/** @type {import("./main.js").Page[]} */
export const pages = [
  wallboardPage, ticketsPage, chatsPage, callbacksPage, customersPage, callsPage, statisticsPage, planPage, surveysPage,
  administrationPage, auditPage, organisationsPage, serverPage,
];
