// What the floor is made of, as administrators set it on their pages (P1 to P14), and what operators then can and cannot do.

import { Console, assert, launch, point, run, signedIn, url, world } from "./harness.mjs";

await run(async () => {
  const browser = await launch();
  const admin = await signedIn("admin");
  const supervisor = await signedIn("supervisor");
  const keeper = await Console.open(browser, "admin");
  const one = await Console.open(browser, "op1");
  const four = await Console.open(browser, "op4");
  const { page } = keeper;
  const at = (section) => page.goto(`${url}/#/administration/${section}`);
  const save = async () => {
    await page.click('button[data-action="save"]');
    await keeper.shown(".message", "Saved");
    await page.waitForFunction(() => document.querySelectorAll(".message").length === 0);
  };
  const service = async () => (await admin("GET", "/floor/services/0")).value;
  const cannotLogIn = (why) => four.shown(`aside button[data-key="login"][title*="${why}"]:disabled`);
  const ready = async () => {
    if (await one.button("status-ready").count() === 0) await one.press("login");
    await one.press("status-ready");
    await one.is("ready");
  };
  const dials = async (to) => {
    await one.press("dial");
    await one.dialog("dial").locator("input[name=to]").fill(to);
    await one.dialog("dial").locator("button[data-action=ok]").click();
  };
  /** A dial is refused in its dialog, with a reason. */
  const dialsInVain = async (to) => {
    await dials(to);
    await one.dialog("dial").locator(".wrong").filter({ hasText: /\S/ }).waitFor();
    await one.page.keyboard.press("Escape");
    await one.gone('dialog[data-dialog="dial"]');
    await one.is("ready");
  };

  await point("P1, P2", "contract flags turned off in mid-call: the call goes on, new ones are refused", async () => {
    await ready();
    await world("calls", { from: "09000000001" });
    await one.is("ringing");
    await one.press("answer");
    await one.is("talking");
    await at("services/0/general");
    await page.uncheck("input[name=inbound]");
    await page.uncheck("input[name=outbound]");
    await save();
    assert.deepEqual(await service().then((it) => [it.inbound, it.outbound]), [false, false]);
    assert.deepEqual(await world("is-taken", { from: "09000000002" }), { taken: false });
    await one.is("talking");
    await one.press("hold");
    await one.is("holding");
    await one.press("hang-up");
    await one.is("after-call-work");
    await one.dialog("end-of-call").locator("button[data-action=ready]").click();
    await one.is("ready");
    await one.shown('aside button[data-key="dial"][title*="no contract for outbound"]:disabled');
    await page.check("input[name=inbound]");
    await page.check("input[name=outbound]");
    await save();
    assert.deepEqual(await world("is-taken", { from: "09000000003" }), { taken: true });
  });
  await point("P3", "without the phone right there is no CTI login, and the operator is told so", async () => {
    await at("operators/3");
    await page.uncheck("input[name=phone]");
    await save();
    await cannotLogIn("the phone right");
    await page.check("input[name=phone]");
    await save();
  });
  await point("P5, P6", "a CTI id or number that is missing is seen in the list, and named to who logs in", async () => {
    const without = async (name, words) => {
      await at("operators/3");
      const was = await page.inputValue(`input[name=${name}]`);
      await page.fill(`input[name=${name}]`, "");
      await save();
      await at("operators");
      await keeper.shown('[data-operator="3"] .tag.bad', "missing");
      await cannotLogIn(words);
      await at("operators/3");
      await page.fill(`input[name=${name}]`, was);
      await save();
    };
    await without("cti_id", "CTI id");
    await without("cti_number", "CTI number");
    await four.press("login");
    await four.is("work");
  });
  await point("P4", "the number plan: numbers of other countries and barred beginnings are not dialled", async () => {
    await at("organisation");
    await page.fill("textarea[name=barred]", "0990\n0570");
    await save();
    const { numbers } = (await admin("GET", "/floor")).value.organisation;
    assert.deepEqual([numbers.international, numbers.barred], [false, ["0990", "0570"]]);
    for (const to of ["0990123456", "01044123456789"]) await dialsInVain(to);
    // Both were refused with 403, as they should be.
    assert.equal(one.faults.length, 2);
    one.faults = [];
  });
  await point("P8", "the setting for a dial's ticket: at the dial, and it stays where nobody answers", async () => {
    await at("services/0/settings");
    await page.selectOption('select[name="settings.outbound_ticket"]', '"dial"');
    await save();
    assert.equal((await service()).settings.outbound_ticket, "dial");
    await dials("07012345678");
    await one.is("dialing");
    await one.page.waitForURL(/#\/tickets\/\d+$/);
    await world("dial-fails", { operator: 0 });
    await one.is("after-call-work");
    await one.dialog("end-of-call").locator("button[data-action=ready]").click();
    await one.is("ready");
  });
  await point("P9", "the ring limit is set in seconds", async () => {
    await page.fill('input[name="settings.ring_limit_ms"]', "12.5");
    await save();
    assert.equal((await service()).settings.ring_limit_ms, 12_500);
  });
  await point("P12, P13", "what is played on hold and at a forced end is chosen among what there is", async () => {
    const choose = async (name) => {
      const list = page.locator(`select[name="settings.${name}"]`);
      const other = await list.evaluate((it) => [...it.options].find((option) => !option.selected)?.value);
      await list.selectOption(other);
      return JSON.parse(other);
    };
    const [music, words] = [await choose("hold_music"), await choose("forced_end_audio")];
    await save();
    const { settings } = await service();
    assert.deepEqual([settings.hold_music, settings.forced_end_audio], [music, words]);
  });
  await point("P14", "the call flow: a step that leads nowhere is marked and not saved; put right, calls go that way", async () => {
    await at("services/0/flow");
    await page.selectOption('select[data-key="new-step"]', "go-to");
    await page.click('button[data-action="add-step"]');
    await page.waitForSelector('[data-flow="sum"].wrong');
    await page.waitForSelector('li[data-step="2"].faulty .fault.error');
    await page.click('button[data-action="save"]');
    await keeper.shown(".editor .wrong");
    assert.equal((await service()).flow.length, 2);
    await page.click('button[data-key="step-2-remove"]');
    await page.selectOption('select[data-key="new-step"]', "set-priority");
    await page.click('button[data-action="add-step"]');
    await page.fill('input[name="step-2.priority"]', "7");
    // Ahead of the queue.
    await page.click('button[data-key="step-2-entry.up"]');
    await page.waitForSelector('[data-flow="sum"].right');
    await save();
    assert.deepEqual((await service()).flow.map((step) => step.step), ["announcement", "set-priority", "queue"]);
    await one.press("status-work");
    await one.is("work");
    await world("calls", { from: "09000000004" });
    const { value } = await supervisor("GET", "/calls");
    const found = (value.calls ?? value).find((call) => String(call.from ?? call.number ?? "").endsWith("0004"));
    assert.equal(found?.priority, 7, JSON.stringify(value));
  });
  assert.deepEqual([...keeper.faults, ...one.faults, ...four.faults], [], "no page had a fault");
  await browser.close();
});
