// The phone desk in a browser, point by point: two operators, a customer played by the test's other half.

import { Console, assert, launch, point, run, signedIn, world } from "./harness.mjs";

await run(async () => {
  const browser = await launch();
  const admin = await signedIn("admin");
  const change = async (path, how) => {
    const { value } = await admin("GET", path);
    const { etag } = await admin("GET", "/floor");
    how(value);
    await admin("PUT", path, value, etag);
  };
  await change("/floor/services/0", (service) => {
    service.outgoing = [
      { number: "0312345678", state: "confirmed" }, { number: "0311112222", state: "new" },
      { number: "0355556666", state: "confirmed" }, { number: "0399990000", state: "rejected" },
    ];
    service.favourites = [{ name: "Warehouse", number: "0466667777" }];
    service.settings.ring_limit_ms = 8_000;
    service.settings.outbound_ticket = "connect";
    service.settings.after_call_limit_ms = null;
  });
  const one = await Console.open(browser, "op1");
  const two = await Console.open(browser, "op2");
  const page = one.page;
  const ready = async (it) => {
    if (await it.button("status-ready").count() === 0) await it.press("login");
    await it.press("status-ready");
    await it.is("ready");
  };
  /** A call that op1 has answered. */
  const connected = async (from) => {
    await ready(one);
    const { call } = await world("calls", { from });
    await one.is("ringing");
    await one.press("answer");
    await one.is("talking");
    return call;
  };
  /** After-call work is over. */
  const wrapUp = async (it) => {
    await it.is("after-call-work");
    await it.dialog("end-of-call").locator("button[data-action=ready]").click();
    await it.is("ready");
  };

  await point("P24", "the widget stands beside every page of an operator", async () => {
    for (const hash of ["tickets", "customers", "calls"]) {
      await page.goto(`${page.url().split("#")[0]}#/${hash}`);
      await one.shown("aside .status");
    }
  });
  await point("P23", "logged out is shown, and only login can be pressed", async () => {
    await one.is("logged-out");
    await one.shown("aside .status", "Logged out");
    assert.equal(await one.button("dial").count(), 0);
  });
  await point("P25", "CTI login", () => one.press("login"));
  await point("P10, P15", "login leads to Work, the default", async () => {
    await one.is("work");
    await one.shown("aside .status", "Work");
  });
  await point("P15", "Work with a reason", async () => {
    await page.selectOption('aside select[data-key="reason-work"]', { label: "meeting" });
    await one.shown("aside .reason", "meeting");
  });
  await point("P17", "Break with a reason", async () => {
    await page.selectOption('aside select[data-key="reason-break"]', { label: "meal" });
    await one.is("break");
    await one.shown("aside .reason", "meal");
  });
  await point("P39", "a call does not ring for Break or Work", async () => {
    const { call } = await world("calls", { from: "09000000001" });
    await page.waitForTimeout(400);
    await one.is("break");
    await world("hangs-up", { call });
  });
  await point("P16, P26", "Ready by its button", async () => {
    await ready(one);
    assert.equal(await one.button("status-ready").getAttribute("aria-pressed"), "true");
  });
  let call;
  await point("P24, P9", "a call blinks with number, queue, wait and the time left", async () => {
    ({ call } = await world("calls", { from: "09012345678" }));
    await one.is("ringing");
    await one.shown("aside.ringing .offer .customer", "09012345678");
    await one.shown(".offer .from", "calls");
    await one.shown(".offer .left", /0:0\d left/);
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("aside")).animationName), "blink");
    await one.shown("aside .status", "Ringing");
  });
  await point("P27, P40", "Answer connects", async () => {
    await one.press("answer");
    await one.is("talking");
  });
  await point("P41", "the screen moves to the ticket that was made", async () => {
    await page.waitForURL(/#\/tickets\/\d+$/);
    await one.shown("main", "09012345678");
  });
  await point("P19, B12", "Talking, with the buttons of a call and no others", async () => {
    for (const key of ["hold", "transfer", "force-end", "hang-up"]) await one.can(key);
    for (const key of ["connect-customer", "cancel-consult", "release"]) assert.equal(await one.button(key).count(), 0, key);
  });
  await point("P36, P56, P21", "Hold", async () => {
    await one.press("hold");
    await one.is("holding");
    await one.shown("aside .status", "Holding");
  });
  await point("P35, P57", "Release", async () => {
    await one.press("release");
    await one.is("talking");
  });
  await point("B8, P41", "a reload in mid-call loses nothing", async () => {
    await page.reload();
    await one.is("talking");
    await one.shown("aside .call .customer", "09012345678");
  });
  await point("P29, P49", "Transfer shows its three ways", async () => {
    await ready(two);
    await one.press("transfer");
    const dialog = one.dialog("transfer");
    await dialog.locator('button[data-connect="typed"]').waitFor();
    await dialog.locator('button[data-connect="favourite-0466667777"]').waitFor();
    await dialog.locator('button[data-connect="operator-1"]').waitFor();
  });
  await point("P11, P31", "a favourite of one's own is added", async () => {
    const dialog = one.dialog("transfer");
    await dialog.getByLabel("Name").fill("Night desk");
    await dialog.locator('.inline input[type="tel"]').fill("0488889999");
    await dialog.getByRole("button", { name: "Add favourite" }).click();
    await dialog.locator('button[data-connect="favourite-0488889999"]').waitFor();
  });
  await point("P49", "operators are searched", async () => {
    const dialog = one.dialog("transfer");
    await dialog.locator("input[type=search]").fill("op4");
    await dialog.locator(".people", { hasText: "Nobody else is Ready" }).waitFor();
    await dialog.locator("input[type=search]").fill("op2");
    await dialog.locator('button[data-connect="operator-1"]').waitFor();
  });
  await point("P32, P50, P51", "Connect rings the operator; the first holds until they answer", async () => {
    await one.dialog("transfer").locator('button[data-connect="operator-1"]').click();
    await one.gone('dialog[data-dialog="transfer"]');
    await one.is("holding");
    await two.is("ringing");
    await two.shown(".offer h2", "Consultation");
    assert.ok(await one.button("connect-customer").isDisabled());
    await one.can("cancel-consult");
  });
  await point("P43", "the target declines: the first still holds the customer", async () => {
    await two.press("decline");
    await two.is("work");
    await one.is("holding");
    await one.can("release");
  });
  await point("P20, P51", "the target answers: Consulting, and Connect customer is active", async () => {
    await ready(two);
    await one.press("transfer");
    await one.dialog("transfer").locator('button[data-connect="operator-1"]').click();
    await two.is("ringing");
    await two.press("answer");
    await one.is("consulting");
    await one.shown("aside .status", "Consulting");
    await two.shown("aside .call", "You are consulted");
    await one.can("connect-customer");
  });
  await point("P55", "a forced end is refused while consulting", async () => {
    assert.ok(await one.button("force-end").isDisabled());
  });
  await point("P34, P53", "Cancel ends the consult: Holding", async () => {
    await one.press("cancel-consult");
    await one.is("holding");
  });
  await point("P54", "Release reconnects the customer", async () => {
    await one.press("release");
    await one.is("talking");
  });
  await point("P42", "a silent target: the first holds, the target has left Ready", async () => {
    await wrapUpOrReady(two);
    await change("/floor/services/0", (service) => { service.settings.consult_limit_ms = 1_000; });
    await one.press("transfer");
    await one.dialog("transfer").locator('button[data-connect="operator-1"]').click();
    await two.is("ringing");
    await two.is("work");
    await two.shown("aside .status");
    await one.is("holding");
    await change("/floor/services/0", (service) => { service.settings.consult_limit_ms = 30_000; });
    await one.press("release");
  });
  await point("P30, P49", "a typed number is consulted outside", async () => {
    await one.press("transfer");
    await one.dialog("transfer").locator("input[name=number]").fill("0477778888");
    await one.dialog("transfer").locator('button[data-connect="typed"]').click();
    await one.is("holding");
    await one.shown(".target", "0477778888");
    await world("target-answers", { call, operator: 0 });
    await one.is("consulting");
  });
  await point("P51", "the target hangs up: Holding", async () => {
    await world("target-hangs-up", { call });
    await one.is("holding");
  });
  await point("P33, P52", "Connect customer: the target has the call and the ticket", async () => {
    await ready(two);
    await one.press("transfer");
    await one.dialog("transfer").locator('button[data-connect="operator-1"]').click();
    await two.is("ringing");
    await two.press("answer");
    await one.is("consulting");
    await one.press("connect-customer");
    await one.is("after-call-work");
    await two.is("talking");
    await two.page.waitForURL(/#\/tickets\/\d+$/);
  });
  await point("P38, P58", "the call is over: after-call work, and the prompt", async () => {
    await wrapUp(one);
    await world("hangs-up", { call });
    await two.is("after-call-work");
    await two.shown('dialog[data-dialog="end-of-call"]', "The call is over");
  });
  await point("P22, P59, P60", "Cancel stays in the ticket work; nothing rings; one leaves by hand", async () => {
    await two.dialog("end-of-call").locator("button[data-action=stay]").click();
    await two.is("after-call-work");
    await two.shown("aside .status", "After-call work");
    await two.press("finish-after-call");
    await two.page.waitForFunction(() => document.querySelector("aside").dataset.status !== "after-call-work");
  });
  await point("P43", "Decline: the call goes back, and one has left Ready", async () => {
    await two.press("status-work");
    const again = await world("calls", { from: "09000000002" });
    await one.is("ringing");
    await one.press("decline");
    await one.is("work");
    await one.shown("aside .reason");
    await one.press("status-ready");
    await one.is("ringing");
    call = again.call;
  });
  await point("P9, P42", "a missed call goes back after the ring limit", async () => {
    await one.is("work");
    await one.shown("aside .reason");
    await one.press("status-ready");
    await one.is("ringing");
    await one.press("answer");
    await one.is("talking");
  });
  await point("P12, P37, P55", "Force end: reason, an editable announcement, then the end", async () => {
    await one.press("force-end");
    const dialog = one.dialog("force-end");
    await dialog.locator("select[name=reason]").selectOption("abuse");
    await dialog.locator("textarea").fill("We end this call.");
    await dialog.locator("button[data-action=ok]").click();
    await one.gone('dialog[data-dialog="force-end"]');
    await one.shown("aside .place", "Ending");
    await world("playback-finished", { call });
    await wrapUp(one);
  });
  await point("P7, P28, P44", "Dial: only Confirmed numbers, in their order, the first preselected", async () => {
    await one.press("dial");
    const from = one.dialog("dial").locator("select[name=from]");
    assert.deepEqual(await from.locator("option").allTextContents(), ["0312345678", "0355556666"]);
    assert.equal(await from.inputValue(), "0312345678");
    await one.dialog("dial").locator("input[name=to]").fill("0701 234 5678".replaceAll(" ", "").padStart(11, "0"));
    await one.dialog("dial").locator("button[data-action=ok]").click();
  });
  await point("P18, P45", "Dialing", async () => {
    await one.is("dialing");
    await one.shown("aside .status", "Dialing");
  });
  await point("P46", "the ticket comes when the customer is connected", async () => {
    const before = page.url();
    await page.evaluate(() => { location.hash = "#/calls"; });
    assert.notEqual(before, page.url());
    await world("customer-answers", { operator: 0 });
    await one.is("talking");
    await page.waitForURL(/#\/tickets\/\d+$/);
  });
  await point("P38", "Hang up", async () => {
    await one.press("hang-up");
    await wrapUp(one);
  });
  await point("P47", "with the setting on, the ticket comes at the dial", async () => {
    await change("/floor/services/0", (service) => { service.settings.outbound_ticket = "dial"; });
    await page.evaluate(() => { location.hash = "#/calls"; });
    await one.press("dial");
    await one.dialog("dial").locator("input[name=to]").fill("07012345678");
    await one.dialog("dial").locator("button[data-action=ok]").click();
    await one.is("dialing");
    await page.waitForURL(/#\/tickets\/\d+$/);
    await world("dial-fails", { operator: 0 });
    await wrapUp(one);
  });
  await point("P48", "by keyboard alone: Alt and a letter", async () => {
    await ready(one);
    await world("calls", { from: "09000000003" });
    await one.is("ringing");
    await page.keyboard.press("Alt+a");
    await one.is("talking");
    await page.keyboard.press("Alt+h");
    await one.is("holding");
    await page.keyboard.press("Alt+r");
    await one.is("talking");
    await page.keyboard.press("Alt+e");
    await wrapUp(one);
  });
  await point("P15–P23", "the statuses in Japanese, word for word", async () => {
    await page.getByRole("button", { name: "日本語" }).click();
    await one.shown("aside .status", "待機");
    const expected = { ready: "待機", work: "業務", break: "休憩" };
    for (const [status, word] of Object.entries(expected)) {
      assert.equal(await page.locator(`aside button[data-key="status-${status}"]`).textContent(), word);
    }
    const all = await page.evaluate(async () => {
      const { t } = await import("/console/js/words.js");
      return ["work", "ready", "break", "dialing", "talking", "consulting", "holding", "after-call-work", "ringing", "logged-out"]
        .map((status) => t(`status.${status}`));
    });
    assert.deepEqual(all, ["業務", "待機", "休憩", "発信中", "通話中", "通話中(転換)", "保留中", "業務(チケット処理)", "呼出中", "ログアウト"]);
    await page.getByRole("button", { name: "English" }).click();
    await one.shown("aside .status", "Ready");
  });
  await point("P38", "Logout", async () => {
    await one.press("logout");
    await one.is("logged-out");
  });
  assert.deepEqual([...one.faults, ...two.faults], [], "no page had a fault");
  await browser.close();

  async function wrapUpOrReady(it) {
    await it.page.waitForFunction(() => ["ready", "after-call-work", "work"].includes(document.querySelector("aside").dataset.status));
    const prompt = it.dialog("end-of-call");
    if (await prompt.count() > 0) await prompt.locator("button[data-action=ready]").click();
    else await ready(it);
    await it.is("ready");
  }
});
