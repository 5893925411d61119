// What customers see: the help centre with its inquiry form, and both and the chat in a page of another site.

import { createServer } from "node:http";
import { mkdirSync, readFileSync } from "node:fs";
import { Console, assert, launch, point, require, run, signedIn, url } from "./harness.mjs";

const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const shots = process.env.CONSOLE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

await run(async () => {
  const browser = await launch();
  const admin = await signedIn("admin");
  const supervisor = await signedIn("supervisor");
  const change = async (path, how) => {
    const { value } = await admin("GET", path);
    const { etag } = await admin("GET", "/floor");
    how(value);
    await admin("PUT", path, value, etag);
  };
  const article = (kind, language, title, text, more = {}) => admin("POST", "/articles", { kind, service: 0, language, title, text, ...more });
  await article("notice", "en", "Closed on Monday", "We are back on Tuesday.");
  await article("notice", "ja", "月曜日は休業です", "火曜日から営業します。");
  await article("faq", "en", "Can I send it back?", "Within 14 days: https://shop.example/returns says how.");
  await article("faq", "en", "How long does it take?", "Three days.");
  await article("faq", "ja", "返品できますか", "14日以内でしたら可能です。");
  await supervisor("POST", "/ticket-categories", { name: "Bills" });
  await supervisor("POST", "/ticket-fields", { name: "Number of the bill", kind: { kind: "number" } });

  // Customers' pages: no page fault, and no address but the server's own is asked for anything.
  const faults = [];
  const visitor = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...options });
    const page = await context.newPage();
    page.on("pageerror", (problem) => faults.push(problem.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of (4\d\d)|ERR_FAILED/.test(message.text())) faults.push(message.text());
    });
    return page;
  };
  const look = async (page, name) => {
    for (const scheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const width of [1440, 768, 390]) {
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 1, `${name} ${width} px: ${wide} px wider than the page`);
        if (shots) await page.screenshot({ path: `${shots}/${name}-${width}-${scheme}.png`, fullPage: true });
      }
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] }));
      assert.deepEqual(violations.map((found) => `${found.id}: ${found.nodes.slice(0, 3).map((node) => node.target.join(" ")).join("; ")}`), [], `${name}, ${scheme}`);
    }
    await page.emulateMedia({ colorScheme: "light" });
  };
  const shown = (page, selector, text) => page.locator(selector, text === undefined ? {} : { hasText: text }).first().waitFor({ state: "visible", timeout: 20_000 });

  const page = await visitor({ bypassCSP: true });
  const asked = new Set();
  page.on("request", (request) => asked.add(new URL(request.url()).protocol === "data:" ? url : new URL(request.url()).origin));
  await point("help", "nothing is shown unless an administrator switches it on", async () => {
    await page.goto(`${url}/help?service=0`);
    await shown(page, "[role=alert]", "There is no help centre here");
  });
  await point("help", "an administrator switches it on in the service's own page", async () => {
    const it = await Console.open(browser, "admin");
    await it.page.goto(`${url}/#/administration/services/0/customers`);
    await it.page.check('input[name="help_centre.articles"]');
    await it.page.check('input[name="help_centre.inquiries"]');
    await it.page.click('button[data-action="save"]');
    await it.shown(".message", "Saved");
    assert.deepEqual(it.faults, []);
    await it.page.context().close();
    const { value } = await admin("GET", "/floor/services/0");
    assert.deepEqual(value.help_centre, { articles: true, inquiries: true });
  });
  await point("help", "notices and questions in the visitor's language", async () => {
    await page.goto(`${url}/help`);
    await page.waitForURL(/service=0/);
    await shown(page, ".notice", "Closed on Monday");
    assert.deepEqual(await page.locator("details.question summary").allTextContents(), ["Can I send it back?", "How long does it take?"]);
    await page.click("details.question summary");
    const link = page.locator("details.question a").first();
    assert.equal(await link.getAttribute("href"), "https://shop.example/returns");
    assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
    await look(page, "help");
    await page.getByRole("button", { name: "日本語" }).click();
    await shown(page, "details.question", "返品できますか");
    assert.equal(await page.locator("details.question").count(), 1);
    await look(page, "help-ja");
    assert.equal(await page.evaluate(() => localStorage.length), 0, "the console's own language is left alone");
    await page.getByRole("button", { name: "English" }).click();
  });
  await point("help", "search finds by a part of question or answer, and its address can be handed on", async () => {
    await page.fill("input[type=search]", "14 days");
    await page.keyboard.press("Enter");
    await shown(page, "h2", "Questions with “14 days”");
    assert.equal(await page.locator("details.question").count(), 1);
    await page.reload();
    await shown(page, "h2", "Questions with “14 days”");
    await page.fill("input[type=search]", "nothing like it");
    await page.keyboard.press("Enter");
    await shown(page, ".empty", "Nothing was found");
    await page.getByRole("button", { name: "All questions" }).click();
    await shown(page, "details.question", "How long does it take?");
  });
  await point("inquiry", "the form tells what is missing, keeps what was typed, and is read without a pointer", async () => {
    await page.click('button[data-key="write"]');
    await shown(page, "form.inquiry");
    await look(page, "inquiry");
    await page.fill("input[name=name]", "Hanako");
    await page.fill("input[name=subject]", "The bill");
    await page.fill("textarea[name=text]", "There is a mistake in it.");
    await page.click('button[data-key="send"]');
    const told = await page.evaluate(() => document.querySelector("input[name=email]").validationMessage);
    assert.match(told, /one of the two/);
    await page.fill("input[name=email]", "hanako@example.jp");
    await page.selectOption("select[name=category]", { label: "Bills" });
    await page.fill('input[name="field-1"]', "204");
    await page.setInputFiles("input[type=file]", Array.from({ length: 6 }, (_, n) => ({ name: `${n}.txt`, mimeType: "text/plain", buffer: Buffer.from("x") })));
    await page.click('button[data-key="send"]');
    await shown(page, "form.inquiry .wrong", "At most 5 files");
    await page.setInputFiles("input[type=file]", [{ name: "請求書.txt", mimeType: "text/plain", buffer: Buffer.from("see line 3") }]);
  });
  let number;
  await point("inquiry", "sent over a failing network it is one ticket, with its number as the receipt", async () => {
    // The answer is lost once: the customer presses Send again.
    let lost = 0;
    await page.route("**/inquiries*", async (route) => {
      if (lost++ > 0) return route.continue();
      await route.fetch();
      await route.abort();
    });
    await page.click('button[data-key="send"]');
    await shown(page, "form.inquiry .wrong", "The server does not answer");
    await page.click('button[data-key="send"]');
    await shown(page, ".receipt", "We have received your inquiry");
    number = Number(await page.locator(".receipt .number").textContent());
    await page.unroute("**/inquiries*");
    await look(page, "receipt");
    const { value } = await supervisor("GET", "/tickets");
    assert.deepEqual(value.items.map((it) => [it.id, it.subject]), [[number, "The bill"]]);
  });
  await point("inquiry", "the operator sees whom it is from, and its file", async () => {
    const op = await Console.open(browser, "op1");
    await op.page.goto(`${url}/#/tickets/${number}`);
    await op.shown('[data-key="inquiry"]', "hanako@example.jp");
    const [file] = await Promise.all([op.page.waitForEvent("download"), op.page.click('[data-key="inquiry"] a[download]')]);
    assert.equal(file.suggestedFilename(), "請求書.txt");
    assert.equal(readFileSync(await file.path(), "utf8"), "see line 3");
    if (shots) await op.page.screenshot({ path: `${shots}/inquiry-at-the-desk.png`, fullPage: true });
    assert.deepEqual(op.faults, []);
    await op.page.context().close();
  });
  await point("inquiry", "whoever sent it reads the answer and writes again, and nobody without the form", async () => {
    const operator = await signedIn("op1");
    await operator("POST", `/tickets/${number}/pull`);
    await operator("POST", `/tickets/${number}/notes`, { text: "They always say so." });
    await operator("POST", `/tickets/${number}/replies`, { text: "We are sorry." });
    const [own] = await Promise.all([page.waitForEvent("popup"), page.click('[data-key="own"]')]);
    await shown(own, "[data-from=operator]", "We are sorry.");
    assert.equal(await own.locator("article", { hasText: "They always" }).count(), 0);
    await own.fill("textarea", "Thank you.");
    await own.click("button.primary");
    await shown(own, "[data-from=customer]", "Thank you.");
    if (shots) await own.screenshot({ path: `${shots}/own.png` });
    await own.evaluate(() => { location.hash = "#own=0/1.a.b"; });
    await shown(own, "[role=alert]", "This inquiry cannot be opened");
    // An address that was cut off, or mended by somebody, opens nothing and says so; also where the page begins with it.
    for (const wrong of ["%E3%81", "%", "請求書", "0/1%0Ab", ""]) {
      await own.goto("about:blank");
      await own.goto(`${url}/help?service=0#own=${wrong}`);
      await shown(own, "[role=alert]", "This inquiry cannot be opened");
    }
    await own.close();
    const { value } = await operator("GET", `/tickets/${number}`);
    assert.equal(value.lines.filter((it) => it.line === "customer-reply").length, 1);
  });
  await point("inquiry", "a program that fills in everything makes no ticket", async () => {
    await page.click(".receipt button");
    await page.fill("input[name=name]", "Bot");
    await page.fill("input[name=email]", "bot@example.jp");
    await page.fill("input[name=subject]", "Buy");
    await page.fill("textarea[name=text]", "Now");
    await page.evaluate(() => { document.querySelector("input[name=website]").value = "http://spam.example"; });
    await page.click('button[data-key="send"]');
    await shown(page, "form.inquiry .wrong", "website");
    const { value } = await supervisor("GET", "/tickets");
    assert.equal(value.items.length, 1);
  });
  await point("chat", "the chat's page can be read by everybody", async () => {
    await page.goto(`${url}/chat?service=0`);
    await shown(page, "form.form");
    await look(page, "chat");
  });
  await point("help", "nothing but the server itself was asked", () => assert.deepEqual([...asked], [url]));

  // A shop's site, of another origin and another host; its policy lets in what docs/console.md says and no more.
  const site = createServer((request, response) => {
    const page = new URL(request.url, "http://x").searchParams;
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.setHeader("Content-Security-Policy", `default-src 'none'; style-src 'unsafe-inline'; script-src ${url}; frame-src ${url}`);
    const data = [...page].map(([key, value]) => `data-${key}="${value}"`).join(" ");
    response.end(`<!doctype html><html lang="en"><title>A shop</title><style>button { display: none; color: red }</style><h1>A shop</h1>
      <script src="${url}/console/customer/embed.js" ${data}></script>`);
  });
  await new Promise((done) => site.listen(0, "127.0.0.1", done));
  const shop = `http://localhost:${site.address().port}`;
  const embedded = async (data, options) => {
    const page = await visitor(options);
    await page.goto(`${shop}/?${new URLSearchParams(data)}`);
    return page;
  };

  await point("embed", "the button is there whatever the site's styles say, and loads nothing before it is pressed", async () => {
    const page = await embedded({ queue: 1, label: "Ask us" });
    await shown(page, "[data-callfloor] button", "Ask us");
    assert.equal(page.frames().length, 1);
    assert.equal(await page.locator("[data-callfloor] button").evaluate((it) => getComputedStyle(it).color), "rgb(255, 255, 255)");
    await page.context().close();
  });
  const chatFrame = (page) => page.frameLocator("iframe");
  /** The server takes the first order no sooner than in 2 s. */
  const refusedOnce = (page, address) => page.route(address, (route) => route.fulfill({
    status: 429, headers: { "Retry-After": "2" }, contentType: "application/problem+json",
    body: JSON.stringify({ rule: "too-fast", status: 429, detail: "too much was asked from this address", retry_after_s: 2 }),
  }), { times: 1 });
  await point("embed", "nobody is there: the visitor is offered the inquiry form and a callback", async () => {
    const page = await embedded({ service: 0 });
    await page.click("[data-callfloor] button");
    const frame = chatFrame(page);
    await frame.locator("input[name=name]").fill("Taro");
    await frame.locator("textarea[name=text]").fill("Hello?");
    await frame.locator("button.primary").click();
    await frame.locator("input[name=number]").fill("09012345678");
    await frame.locator('a[data-key="inquiry"]').waitFor({ state: "visible" });
    await frame.locator("button.primary").click();
    await frame.locator("[role=status]", { hasText: "We will call you" }).waitFor();
    await page.context().close();
  });
  await point("embed", "by a queue alone a callback can be asked for too", async () => {
    const page = await embedded({ queue: 1, language: "ja" });
    await page.click("[data-callfloor] button");
    const frame = chatFrame(page);
    await frame.locator("input[name=name]").fill("花子");
    await frame.locator("textarea[name=text]").fill("もしもし");
    await frame.locator("button.primary").click();
    await frame.locator("[role=status]", { hasText: "担当者がおりません" }).waitFor();
    await frame.locator("input[name=number]").fill("09012345679");
    await frame.locator("button.primary").click();
    await frame.locator("[role=status]", { hasText: "折り返しご連絡します" }).waitFor();
    await page.context().close();
  });
  for (const { callback } of (await supervisor("GET", "/callbacks?live=true")).value) await supervisor("POST", `/callbacks/${callback}/cancel`);
  const op1 = await Console.open(browser, "op1");
  const operator = await signedIn("op1");
  await operator("POST", "/operators/0/login");
  await operator("PUT", "/operators/0/status", { status: "ready" });
  await operator("PUT", "/operators/0/chat-status", { status: "available" });
  await point("embed", "a chat from another site reaches an operator, and both read each other", async () => {
    const page = await embedded({ service: 0 });
    await page.click("[data-callfloor] button");
    const frame = chatFrame(page);
    await frame.locator("input[name=name]").fill("Taro");
    await frame.locator("textarea[name=text]").fill("Where is my parcel?");
    if (shots) await page.screenshot({ path: `${shots}/embed-begin.png` });
    await refusedOnce(page, "**/customer/chats");
    await frame.locator("button.primary").click();
    await frame.locator(".wrong", { hasText: "sent again by itself in 2 s" }).waitFor();
    assert.ok(await frame.locator("button.primary").isDisabled());
    await op1.page.goto(`${url}/#/chats`);
    // The inquiry of before may be offered first.
    for (let n = 0, chat = false; n < 100 && !chat; n += 1) {
      const [offer] = (await operator("GET", "/operators/0/desk")).value.offers;
      if (offer) await operator("POST", "/operators/0/answer", { offer: offer.offer });
      else await op1.page.waitForTimeout(100);
      chat = Boolean(offer?.work.chat);
    }
    await frame.locator("[role=status]", { hasText: "You are connected" }).waitFor();
    await op1.shown(".conversation .line", "Where is my parcel?");
    await op1.page.fill('textarea[data-key="message"]', "It comes today.");
    await op1.page.keyboard.press("Enter");
    await frame.locator(".line.operator", { hasText: "It comes today." }).waitFor();
    await frame.locator(".write textarea").fill("Thank you!");
    await frame.locator(".write textarea").press("Enter");
    await op1.shown(".conversation .line", "Thank you!");
    await frame.locator(".line.unsent").waitFor({ state: "detached" });
    if (shots) await page.screenshot({ path: `${shots}/embed-chat.png` });
    // Escape closes the frame, the button opens it again where it was; a reload of the site's page loses nothing, though Chromium gives
    // such a frame no storage of its own.
    await frame.locator(".write textarea").press("Escape");
    await page.locator("iframe").waitFor({ state: "hidden" });
    await page.reload();
    await page.click("[data-callfloor] button");
    await frame.locator(".line.operator", { hasText: "It comes today." }).waitFor();
    // Another service's button, in the same tab, begins another chat, and leaves this one alone.
    await page.goto(`${shop}/?service=7`);
    await page.click("[data-callfloor] button");
    await frame.locator("input[name=name]").waitFor();
    await page.goto(`${shop}/?service=0`);
    await page.click("[data-callfloor] button");
    await frame.locator(".line.operator", { hasText: "It comes today." }).waitFor();
    await frame.getByRole("button", { name: "End the chat" }).click();
    await frame.locator("input[type=radio][value='5']").check();
    await frame.locator(".form button.primary").click();
    await frame.locator("[role=status]", { hasText: "Thank you" }).last().waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    if (shots) await page.screenshot({ path: `${shots}/embed-390.png` });
    const box = await page.locator("iframe").boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y >= 0, JSON.stringify(box));
    await page.context().close();
  });
  await point("embed", "the inquiry form in another site's page", async () => {
    const page = await embedded({ service: 0, page: "inquiry" });
    await page.click("[data-callfloor] button");
    const frame = chatFrame(page);
    await frame.locator("input[name=name]").fill("Jiro");
    await frame.locator("input[name=phone]").fill("090-1111-2222");
    await frame.locator("input[name=subject]").fill("Opening hours");
    await frame.locator("textarea[name=text]").fill("When?");
    await refusedOnce(page, "**/inquiries*");
    await frame.locator('button[data-key="send"]').click();
    await frame.locator(".wrong", { hasText: "sent again by itself in 2 s" }).waitFor();
    await frame.locator(".receipt").waitFor();
    if (shots) await page.screenshot({ path: `${shots}/embed-inquiry.png` });
    await page.context().close();
  });
  await point("help", "no page had a fault", () => assert.deepEqual([...faults, ...op1.faults], []));
  site.close();
  await browser.close();
});
