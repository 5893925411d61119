// What administrators keep (articles, open keys, linked systems, caps, issue services, organisations, the server's accounts, their
// own passwords), and what operators do with
// it: escalate, hand a chat on by name, dial a number by a press.

import { Console, assert, launch, point, run, signedIn, url, world } from "./harness.mjs";

await run(async () => {
  const browser = await launch();
  const admin = await signedIn("admin");
  const faults = [];
  const at = async (login, hash) => {
    const it = await Console.open(browser, login, { permissions: [] });
    it.faults = faults;
    if (hash) await it.page.goto(`${url}/#/${hash}`);
    return it;
  };

  const keeper = await at("admin", "administration/articles");
  const { page } = keeper;
  const press = (action) => page.click(`main [data-action="${action}"]`);
  const ok = (key) => page.click(`dialog[data-dialog="${key}"] button.primary`);
  await point("articles", "a notice is written, changed and removed", async () => {
    await press("add");
    await page.selectOption("dialog select[name=kind]", "notice");
    await page.fill("dialog input[name=language]", "en");
    await page.fill("dialog input[name=title]", "Closed on Monday");
    await page.fill("dialog textarea[name=text]", "We are back on Tuesday.");
    await page.fill("dialog input[name=from]", "2099-01-01T09:00");
    await ok("article");
    await keeper.shown('[data-article="1"] [data-article-state="later"]', "Later");
    await page.click('[data-article="1"] [data-action="change"]');
    await page.fill("dialog input[name=from]", "");
    await page.fill("dialog input[name=title]", "Closed on Tuesday");
    await ok("article");
    await keeper.shown('[data-article="1"]', "Closed on Tuesday");
    await keeper.shown('[data-article="1"] [data-article-state="shown"]');
    const { value } = await admin("GET", "/articles/1");
    assert.deepEqual([value.kind, value.title, value.from_us, value.until_us, value.version], ["notice", "Closed on Tuesday", 0, null, 2]);
    await page.click('[data-article="1"] [data-action="remove"]');
    await page.click('dialog[data-dialog="confirm"] button[data-action="yes"]');
    await keeper.gone('[data-article="1"]');
  });
  await point("articles", "what is wrong is told in Japanese in the Japanese console", async () => {
    await page.getByRole("button", { name: "日本語" }).click();
    await keeper.shown("main h2", "お知らせ・FAQ");
    await press("add");
    await page.fill("dialog input[name=language]", "japanese");
    await page.fill("dialog input[name=title]", "x");
    await page.fill("dialog textarea[name=text]", "x");
    await ok("article");
    await keeper.shown("dialog .wrong", "言語コードが正しくありません");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "English" }).click();
    await keeper.shown("main h2", "Notices and FAQ");
  });
  await point("open keys", "a key is made by service and scope, its secret shown once, and revoked", async () => {
    await page.goto(`${url}/#/administration/open`);
    await press("add");
    await page.fill("dialog input[name=name]", "shop");
    await ok("open-key");
    await keeper.shown("dialog .wrong", "Choose at least one");
    await page.check('dialog input[name="0 content:read"]');
    await page.check('dialog input[name="0 inquiries:write"]');
    await ok("open-key");
    assert.match(await page.inputValue("[data-secret='']"), /^cfo_/);
    assert.equal(await page.inputValue("[data-secret='1']"), "1");
    await ok("secret");
    await keeper.shown('[data-open-key="1"]', "shop");
    const { value } = await admin("GET", "/open-keys");
    assert.deepEqual(value[0].grants, [{ service: 0, scopes: ["content:read", "inquiries:write"] }]);
    await page.click('[data-open-key="1"] [data-action="revoke"]');
    await page.click('dialog[data-dialog="confirm"] button[data-action="yes"]');
    await keeper.shown('[data-open-key="1"]', "Revoked");
  });
  await point("linked systems", "one is set, refused where its address is no public one, and given a secret", async () => {
    await page.click('[data-link="customer-information"] [data-action="set"]');
    await page.fill("dialog input[name=address]", "http://127.0.0.1/");
    await ok("link");
    await keeper.shown("dialog .wrong", "https");
    await page.fill("dialog input[name=address]", "https://shop.example.jp/callfloor");
    await ok("link");
    await keeper.shown('[data-link="customer-information"]', "None: it is not asked");
    await page.click('[data-link="customer-information"] [data-action="secret"]');
    assert.ok((await page.inputValue("[data-secret='']")).length > 20);
    await ok("secret");
    await keeper.shown('[data-link="customer-information"]', "There is one");
  });
  const save = async () => {
    await page.click('button[data-action="save"]');
    await keeper.shown(".message", "Saved");
    await page.waitForFunction(() => document.querySelectorAll(".message").length === 0);
  };
  await point("P7", "caps on dials, of the service and of a number", async () => {
    await page.goto(`${url}/#/administration/services/0/outgoing`);
    await page.fill('input[name="dial_caps.per_hour"]', "120");
    await page.fill('input[name="dial_caps.per_day"]', "");
    await page.fill('input[name="outgoing-0.per_day"]', "50");
    await save();
    const { value } = await admin("GET", "/floor/services/0");
    assert.deepEqual(value.dial_caps, { per_hour: 120, per_day: null });
    assert.deepEqual([value.outgoing[0].per_hour, value.outgoing[0].per_day], [null, 50]);
  });
  await point("issues", "a service for issues is made, and what escalated tickets become is set", async () => {
    await page.goto(`${url}/#/administration/services/new`);
    await page.fill('input[name="name"]', "Second line");
    await page.selectOption('select[name="kind"]', { label: "Escalated tickets alone" });
    await page.selectOption('select[name="kind.shows"]', { label: "the record and the escalated ticket" });
    await page.click('button[data-action="save"]');
    await page.waitForURL(/services\/1$/);
    const { value } = await admin("GET", "/floor/services/1");
    assert.deepEqual([value.kind, value.inbound, value.outbound], [{ issues: { shows: "case" } }, false, false]);
    await page.goto(`${url}/#/administration/services/0/escalation`);
    await page.selectOption('select[name="escalation.on_solved"]', { label: "stays as it is" });
    await save();
    assert.equal((await admin("GET", "/floor/services/0")).value.escalation.on_solved, "stays");
    await page.goto(`${url}/#/administration/services/0/escalation`);
    await page.selectOption('select[name="escalation.on_solved"]', { label: "Open" });
    await save();
    const etag = async () => (await admin("GET", "/floor")).etag;
    const { value: floor } = await admin("GET", "/floor");
    const queue = { ...floor.queues.find((it) => it.channel === "ticket"), name: "issues", service: 1 };
    await admin("POST", "/floor/queues", queue, await etag());
    const { value: op2 } = await admin("GET", "/floor/operators/1");
    op2.services = [...op2.services, 1];
    await admin("PUT", "/floor/operators/1", op2, await etag());
  });

  const supervisor = await signedIn("supervisor");
  await supervisor("POST", "/customers", { name: "Hanako Sato", numbers: ["09012345678"] });
  const op1 = await signedIn("op1");
  const { value: ticket } = await op1("POST", "/tickets", { service: 0, subject: "The parcel has not come", description: "Sent on Monday.", customer: 1 });
  const one = await at("op1", `tickets/${ticket.id}`);
  await point("issues", "a ticket is escalated from its page, and waits", async () => {
    await one.page.click('[data-key="escalate"]');
    await one.page.fill("dialog textarea[name=description]", "Where is it?");
    await one.page.click('dialog[data-dialog="escalate"] button.primary');
    await one.shown('[data-key="issues"] [data-issue]', "Second line");
    await one.shown("h1 .ticket-status", "Pending");
    await one.shown('[data-line="escalated"]', "Escalated to Second line");
  });
  const issue = ticket.id + 1;
  await point("issues", "who has the issue sees the case, with names for numbers, and refuses it", async () => {
    const two = await at("op2", `tickets/${issue}`);
    await two.page.click('[data-key="case"]');
    await two.shown('dialog[data-dialog="case"]', "Sent on Monday.");
    const by = await two.page.locator('dialog[data-dialog="case"] .written .by').first().textContent();
    assert.doesNotMatch(by, /Account \d/);
    await two.page.click('dialog[data-dialog="case"] footer button');
    await two.page.click('[data-key="settle"]');
    await two.page.selectOption("dialog select[name=verdict]", "refused");
    await two.page.fill("dialog textarea[name=reason]", "It is not ours.");
    await two.page.click('dialog[data-dialog="settle"] button.primary');
    await two.shown('[data-outcome="refused"]', "It is not ours.");
    await two.page.context().close();
    await one.shown('[data-key="issues"] [data-outcome="refused"]', "It is not ours.");
    await one.shown("h1 .ticket-status", "Open");
  });
  await point("issues", "it is opened again with a reason", async () => {
    await one.page.click('[data-key="issues"] [data-key="reopen"]');
    await one.page.fill("dialog textarea[name=reason]", "It is yours.");
    await one.page.click('dialog[data-dialog="reopen-issue"] button.primary');
    await one.gone('[data-key="issues"] [data-outcome]');
    await one.shown("h1 .ticket-status", "Pending");
  });
  await point("tickets", "lines name people to an operator who has written nothing yet", async () => {
    await supervisor("POST", `/tickets/${ticket.id}/notes`, { text: "Look at this." });
    await one.page.reload();
    await one.shown("[data-line=note]", "Look at this.");
    const { value: accounts } = await admin("GET", "/accounts");
    const { name } = accounts.find((it) => it.login === "supervisor");
    await one.shown("[data-line=note] .by", name);
    assert.equal(await one.page.locator("[data-key=timeline]", { hasText: /Account \d/ }).count(), 0);
  });
  await point("P44", "a customer's number is dialled by a press, in the ticket and on the customer's page", async () => {
    await one.page.click('[data-dial="09012345678"]');
    await one.shown(".message.bad");
    await one.press("login");
    await one.is("work");
    for (const hash of [`tickets/${ticket.id}`, "customers/1"]) {
      await one.page.goto(`${url}/#/${hash}`);
      await one.page.locator('[data-dial="09012345678"]').first().click();
      assert.equal(await one.page.inputValue('dialog[data-dialog="dial"] input[name=to]'), "09012345678");
      await one.page.keyboard.press("Escape");
    }
    await one.page.locator('[data-dial="09012345678"]').first().click();
    await one.dialog("dial").locator("button[data-action=ok]").click();
    await one.is("dialing");
    await world("dial-fails", { operator: 0 });
    await one.page.waitForFunction(() => document.querySelector("aside").dataset.status !== "dialing");
  });
  await point("linked systems", "a customer's page says why the linked system said nothing, and is there all the same", async () => {
    await one.page.goto(`${url}/#/customers/1`);
    await one.shown('[data-key="linked"] .warning', "It said nothing");
    await one.shown('[data-dial="09012345678"]');
  });
  await point("chat", "a chat is handed to a colleague by name, and refused in words where they are gone", async () => {
    const op2 = await signedIn("op2");
    const there = async (who, operator, status) => {
      if (status === "available") await who("POST", `/operators/${operator}/login`).catch(() => {});
      await who("PUT", `/operators/${operator}/chat-status`, { status });
    };
    await there(op1, 0, "available");
    const made = await fetch(`${url}/api/v1/customer/chats`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ service: 0, name: "Taro", text: "Hello?" }),
    });
    const { token } = await made.json();
    const alive = setInterval(() => fetch(`${url}/api/v1/customer/chat`, { headers: { "Callfloor-Customer-Token": token } }), 1_000);
    await op1("PUT", "/operators/0/status", { status: "ready" });
    const offer = async (who, operator) => {
      for (let n = 0; n < 100; n += 1) {
        const { value } = await who("GET", `/operators/${operator}/desk`);
        if (value.offers.length > 0) return value.offers[0].offer;
        await one.page.waitForTimeout(100);
      }
      throw new Error("nothing is offered");
    };
    await op1("POST", "/operators/0/answer", { offer: await offer(op1, 0) });
    await one.page.goto(`${url}/#/chats`);
    await one.page.click('.conversation [data-key="transfer"]');
    await one.shown('dialog[data-dialog="chat-transfer"]', "Nobody else is there");
    await one.page.keyboard.press("Escape");
    await there(op2, 1, "available");
    await one.page.click('.conversation [data-key="transfer"]');
    await one.page.locator('dialog select[name=to] option[value="operator 1"]').waitFor({ state: "attached" });
    await there(op2, 1, "away");
    await one.page.selectOption("dialog select[name=to]", "operator 1");
    await one.page.click('dialog[data-dialog="chat-transfer"] button.primary');
    await one.shown("dialog .wrong");
    await there(op2, 1, "available");
    await one.page.click('dialog[data-dialog="chat-transfer"] button.primary');
    await op2("POST", "/operators/1/answer", { offer: await offer(op2, 1) });
    const { value } = await op2("GET", "/chats");
    assert.deepEqual((value.items ?? value).map((it) => [it.operator, it.state]), [[1, "talking"]]);
    clearInterval(alive);
  });
  await point("organisations", "one is made with its first password, suspended and served again by the server's administrator", async () => {
    const it = await at("server-admin");
    const { page } = it;
    await it.shown("main h1", "Organisations");
    await page.click('[data-action="add"]');
    await page.fill("dialog input[name=organisation]", "acme");
    await page.fill("dialog input[name=name]", "Acme");
    await page.fill("dialog input[name=sip_domain]", "acme.example");
    await page.fill("dialog textarea[name=numbers]", "0312340000");
    await page.click('dialog[data-dialog="organisation"] button.primary');
    const password = await page.inputValue("[data-secret='']");
    assert.equal(await page.inputValue("[data-secret='1']"), "admin@acme");
    await page.click('dialog[data-dialog="secret"] button.primary');
    await it.shown('[data-organisation="acme"] [data-organisation-state="served"]');
    const signs = async () => (await fetch(`${url}/api/v1/sessions`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ login: "admin@acme", password }),
    })).status;
    assert.equal(await signs(), 201);
    await page.click('[data-organisation="acme"] [data-action="suspend"]');
    await page.click('dialog[data-dialog="confirm"] button[data-action="yes"]');
    await it.shown('[data-organisation="acme"] [data-organisation-state="suspended"]');
    assert.ok(await signs() >= 400);
    await page.click('[data-organisation="acme"] [data-action="resume"]');
    await it.shown('[data-organisation="acme"] [data-organisation-state="served"]');
    await page.click('[data-organisation="acme"] [data-action="change"]');
    await page.fill("dialog input[name=name]", "Acme Japan");
    await page.click('dialog[data-dialog="organisation"] button.primary');
    await it.shown('[data-organisation="acme"]', "Acme Japan");
    await page.click('[data-organisation="acme"] [data-action="limits"]');
    await page.fill("dialog input[name=operators]", "20");
    await page.fill("dialog input[name=files_mib]", "1000");
    await page.click('dialog[data-dialog="limits"] button.primary');
    await page.locator('dialog[data-dialog="limits"]').waitFor({ state: "detached" });
    const keeper = await signedIn("server-admin");
    const { value: organisations } = await keeper("GET", "/organisations");
    const none = { services: null, waiting_calls: null, waiting_chats: null };
    assert.deepEqual(organisations.find((it) => it.organisation === "acme").limits, { operators: 20, files_mib: 1000, ...none });
    await it.shown('[data-organisation="acme"]', "Acme Japan");
    await page.click('[data-action="add"]');
    await page.fill("dialog input[name=organisation]", "acme");
    await page.fill("dialog input[name=name]", "Another");
    await page.fill("dialog input[name=sip_domain]", "another.example");
    await page.click('dialog[data-dialog="organisation"] button.primary');
    await it.shown("dialog .wrong", "there is an organisation");
    await page.keyboard.press("Escape");
    await page.context().close();
  });
  await point("server", "the server's administrators keep accounts of their own kind, and see that there are no certificates", async () => {
    const it = await at("server-admin", "server");
    const { page } = it;
    await it.shown('[data-table="certificates"]', "speaks neither HTTPS");
    await it.shown('[data-account="server-admin"]', "Server's administrator");
    assert.equal(await page.locator("[data-account]").count(), 1, "nobody's of an organisation");
    await page.click('main [data-action="add"]');
    assert.deepEqual(await page.locator("dialog select[name=role] option").allTextContents(), ["Server's administrator"]);
    await page.fill("dialog input[name=login]", "night-shift");
    await page.fill("dialog input[name=password]", "first-password");
    await page.fill("dialog input[name=name]", "The night shift");
    await page.click('dialog[data-dialog="account"] button.primary');
    await it.shown('[data-account="night-shift"]', "The night shift");
    // An administrator of the organisation sees that there are such accounts, and has nothing to press.
    await page.context().close();
    const main = await at("admin", "administration/accounts");
    await main.shown('[data-account="night-shift"]', "Server's administrator");
    assert.equal(await main.page.locator('[data-account="night-shift"] button').count(), 0);
    assert.ok(await main.page.locator('[data-account="supervisor"] button').count() > 0);
    await main.page.context().close();
  });
  await point("password", "whoever was given a password changes it in the console, and only with the one in force", async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
    const it = new Console(await context.newPage(), "night-shift");
    const { page } = it;
    const signs = async (password) => {
      await page.fill("input[name=login]", "night-shift");
      await page.fill("input[name=password]", password);
      await page.click("form.sign-in button.primary");
    };
    await page.goto(url);
    await signs("first-password");
    await it.shown("main h1", "Organisations");
    await page.click('button[data-key="own-password"]');
    const form = page.locator('dialog[data-dialog="own-password"]');
    await form.locator("input[name=current]").fill("not-that-one");
    await form.locator("input[name=password]").fill("second-password");
    await form.locator("button.primary").click();
    await it.shown("dialog .wrong", "another");
    await form.locator("input[name=current]").fill("first-password");
    await form.locator("button.primary").click();
    await it.shown(".message", "Your password is changed");
    await page.getByRole("button", { name: "Sign out" }).click();
    await signs("first-password");
    await it.shown("form.sign-in .wrong");
    await signs("second-password");
    await it.shown("main h1", "Organisations");
    await context.close();
  });
  assert.deepEqual(faults, [], "no page had a fault");
  await browser.close();
});
