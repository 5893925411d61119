// Every page of every role at three widths, light and dark, in both languages: nothing fails, nothing runs out of the page,
// axe-core finds nothing serious. With CONSOLE_SHOTS set to a folder the pictures are kept there.

import { mkdirSync, readFileSync } from "node:fs";
import { Console, assert, launch, point, require, run, signedIn, url, world } from "./harness.mjs";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.CONSOLE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

const PAGES = {
  op1: ["tickets", "tickets/1", "chats", "callbacks", "customers", "customers/1", "calls", "surveys"],
  supervisor: ["wallboard", "tickets", "chats", "callbacks", "customers", "calls", "statistics", "plan", "surveys"],
  admin: [
    "administration", "administration/services/0/customers", "administration/services/0/escalation", "administration/services/0/outgoing",
    "administration/services/new", "administration/articles", "administration/open", "statistics", "surveys", "audit",
  ],
  "server-admin": ["organisations"],
};

await run(async () => {
  const browser = await launch();
  const operator = await signedIn("op2");
  await operator("POST", "/operators/1/login");
  await operator("PUT", "/operators/1/status", { status: "ready" });
  await operator("POST", "/tickets", { service: 0, subject: "The parcel has not come", description: "Sent on Monday.", tags: ["parcel"] });
  await operator("POST", "/tickets", { service: 0, subject: "Invoice 4711", description: "Twice charged." });
  await operator("POST", "/customers", { name: "Hanako Sato", numbers: ["09012345678"] });
  await world("calls", { from: "09012345678" });
  await world("calls", { from: "09087654321" });

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
