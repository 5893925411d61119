// Every page of every role at three widths, light and dark, in both languages: nothing fails, nothing runs out of the page,
// axe-core finds nothing serious. With CONSOLE_SHOTS set to a folder the pictures are kept there.

import { mkdirSync, readFileSync } from "node:fs";
import { Console, assert, launch, point, require, run, signedIn, url, world } from "./harness.mjs";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.CONSOLE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

const PARTS = ["general", "hours", "flow", "outgoing", "favourites", "settings", "customers", "escalation"];
const SECTIONS = ["organisation", "services", "queues", "operators", "skills", "inbound", "reasons", "audio", "tickets", "articles", "accounts", "keys", "open"];
const PAGES = {
  op1: ["tickets", "tickets/1", "chats", "callbacks", "customers", "customers/1", "calls", "surveys"],
  supervisor: ["wallboard", "tickets", "tickets/3", "chats", "callbacks", "customers", "calls", "calls/1", "statistics", "plan", "surveys"],
  planner: ["statistics", "plan", "calls", "surveys"],
  admin: [
    ...SECTIONS.map((it) => `administration/${it}`), ...PARTS.map((it) => `administration/services/0/${it}`), "administration/services/new",
    "administration/queues/0", "administration/operators/0", "statistics", "plan", "surveys", "audit",
  ],
  auditor: ["surveys", "audit"],
  "server-admin": ["organisations", "server"],
};

await run(async () => {
  const browser = await launch();
  const [operator, admin, supervisor, server] = await Promise.all(["op2", "admin", "supervisor", "server-admin"].map((login) => signedIn(login)));
  await operator("POST", "/operators/1/login");
  await operator("PUT", "/operators/1/status", { status: "ready" });
  const { value: first } = await operator("POST", "/tickets", { service: 0, subject: "The parcel has not come", description: "Sent on Monday.", tags: ["parcel"] });
  await operator("POST", "/tickets", { service: 0, subject: "Invoice 4711", description: "Twice charged." });
  await operator("POST", "/customers", { name: "Hanako Sato", numbers: ["09012345678"] });

  // Something in every list.
  const change = async (method, path, body) => admin(method, path, body, (await admin("GET", "/floor")).etag);
  const { value: desk } = await admin("GET", "/floor/services/0");
  await change("POST", "/floor/services", { ...desk, name: "Second line", kind: { issues: { shows: "case" } }, inbound: false, outbound: false, flow: [{ step: "end" }], outgoing: [], favourites: [] });
  const queues = (await admin("GET", "/floor")).value.queues;
  await change("POST", "/floor/queues", { ...queues.find((it) => it.channel === "ticket"), name: "issues", service: 1 });
  for (const [language, title, text] of [["en", "Closed on Monday", "We are back on Tuesday."], ["ja", "月曜日は休業です", "火曜日から営業します。"]]) {
    await admin("POST", "/articles", { kind: "notice", service: 0, language, title, text });
  }
  await change("PUT", "/floor/skills", ["billing", "japanese"]);
  await admin("POST", "/keys", { name: "reports", scopes: ["statistics:read"] });
  await admin("POST", "/open-keys", { name: "shop", grants: [{ service: 0, scopes: ["content:read"] }] });
  await supervisor("POST", "/ticket-templates", { name: "Thanks", text: "Thank you for writing to us." });
  await supervisor("POST", "/ticket-categories", { name: "Bills" });
  for (const login of ["planner", "auditor"]) {
    await admin("POST", "/accounts", { login, password: process.env.CONSOLE_PASSWORD, name: `The ${login}`, role: login, operator: null, disabled: false });
  }
  await operator("POST", `/tickets/${first.id}/issues`, { service: 1, queue: queues.length, subject: "Where is parcel 42?", description: "Please ask the carrier." });
  await server("POST", "/organisations", { organisation: "acme", name: "Acme Japan", sip_domain: "acme.example", numbers: ["0312340000"] });

  await world("calls", { from: "09012345678" });
  await world("calls", { from: "09087654321" });
  await world("hangs-up", await world("calls", { from: "09011112222" }));

  for (const [login, hashes] of Object.entries(PAGES)) {
    for (const scheme of ["light", "dark"]) {
      const it = await Console.open(browser, login, { colorScheme: scheme, bypassCSP: true });
      if (scheme === "dark") await it.page.getByRole("button", { name: "日本語" }).click();
      for (const hash of hashes) {
        await point(scheme, `${login}: ${hash}`, async () => {
          await it.page.goto(`${url}/#/${hash}`);
          await it.shown("main h1");
          assert.equal(await it.page.locator("main .failed").count(), 0, "the page has what it shows");
          await it.page.waitForTimeout(300);
          for (const width of [1440, 768, 390]) {
            await it.page.setViewportSize({ width, height: 900 });
            const wide = await it.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(wide <= 1, `${width} px: ${wide} px wider than the page`);
            if (shots) await it.page.screenshot({ path: `${shots}/${login}-${hash.replaceAll("/", "-")}-${width}-${scheme}.png` });
          }
          await it.page.setViewportSize({ width: 1440, height: 900 });
          await it.page.evaluate(AXE);
          const { violations } = await it.page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
          const serious = violations.filter((found) => ["serious", "critical"].includes(found.impact));
          const told = serious.map((found) => `${found.id}: ${found.help}: ${found.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`);
          assert.deepEqual(told, []);
        });
      }
      assert.deepEqual(it.faults, [], "no page had a fault");
      await it.page.context().close();
    }
  }
  await point("counts", "nobody's tickets are counted in the services that one serves, as the list has them", async () => {
    const op1 = await signedIn("op1");
    const { value } = await op1("GET", "/tickets?owner=none");
    const undone = value.items.filter((it) => ["new", "open", "pending"].includes(it.status));
    const everywhere = (await supervisor("GET", "/tickets?owner=none")).value.items;
    assert.ok(undone.length > 0 && everywhere.length > undone.length, "there are others elsewhere");
    const it = await Console.open(browser, "op1");
    await it.page.goto(`${url}/#/tickets`);
    await it.shown('[data-key="owner-none"] .count', String(undone.length));
    await it.page.context().close();
  });
  await point("words", "the list of queues is in Japanese to its last word", async () => {
    const it = await Console.open(browser, "admin");
    await it.page.getByRole("button", { name: "日本語" }).click();
    await it.page.goto(`${url}/#/administration/queues`);
    await it.shown('[data-table="queues"] [data-queue="0"]', "短時間放棄を除く");
    assert.equal(await it.page.locator('[data-table="queues"]', { hasText: "short" }).count(), 0);
    await it.page.context().close();
  });
  await point("size", "the first load is under 300 KB compressed", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Network.enable");
    let bytes = 0;
    session.on("Network.loadingFinished", (it) => { bytes += it.encodedDataLength; });
    await page.goto(url);
    await page.waitForSelector("form.sign-in");
    console.log(`  ${(bytes / 1000).toFixed(0)} KB`);
    assert.ok(bytes < 300_000, `${bytes} bytes`);
  });
  await browser.close();
});
