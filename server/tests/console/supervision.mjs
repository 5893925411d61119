// A supervisor on the wallboard, with the audio in their browser: listens, whispers, barges in and takes over a call between two
// telephones; what each of them hears is measured. With CONSOLE_SHOTS set to a folder the pictures are kept there.

import { mkdirSync } from "node:fs";
import { Console, assert, launch, point, run, signedIn, url, world } from "./harness.mjs";

const shots = process.env.CONSOLE_SHOTS;
if (shots) mkdirSync(shots, { recursive: true });

/** Whose tone is which. */
const TONES = { 800: "customer", 1200: "boss", 2000: "operator" };

await run(async () => {
  const browser = await launch(
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-audio-capture=${process.env.CONSOLE_MICROPHONE}`,
  );
  const boss = await Console.open(browser, "boss", { permissions: ["microphone"] });
  const { page } = boss;
  const shoot = async (name) => shots && page.screenshot({ path: `${shots}/supervision-${name}.png` });
  const action = (name) => page.locator(`[data-board=calls] button[data-action="${name}"]`);
  const tag = (how) => boss.shown(`[data-board=calls] .supervised[data-supervision="${how}"]`);
  const pressed = async () => page.locator('[data-board=calls] .supervision button[aria-pressed="true"]').getAttribute("data-action");
  /** Whom somebody hears: of the customer, the operator and the boss. */
  const hears = async (who) => {
    const { levels } = await world(`${who}-hears`);
    console.log(`  ${who}: ${JSON.stringify(levels)}`);
    return Object.entries(levels).filter(([, level]) => level > 300).map(([hz]) => TONES[hz]).sort().join(" ");
  };
  /** Which of three frequencies the page hears. */
  const browserHears = () => page.evaluate(async () => {
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 8192;
    context.createMediaStreamSource(document.querySelector("audio").srcObject).connect(analyser);
    const sum = new Float64Array(analyser.frequencyBinCount);
    const spectrum = new Uint8Array(analyser.frequencyBinCount);
    for (const until = Date.now() + 1_500; Date.now() < until;) {
      await new Promise((done) => setTimeout(done, 50));
      analyser.getByteFrequencyData(spectrum);
      spectrum.forEach((level, bin) => { sum[bin] += level; });
    }
    const at = (hz) => sum[Math.round(hz * 8192 / context.sampleRate)];
    const loudest = Math.max(...sum);
    await context.close();
    return { customer: at(800) / loudest, boss: at(1_200) / loudest, operator: at(2_000) / loudest };
  });
  const browserHearsBoth = async () => {
    const heard = await browserHears();
    console.log(`  browser: ${JSON.stringify(heard)}`);
    assert.ok(heard.customer > 0.7 && heard.operator > 0.7 && heard.boss < 0.6, JSON.stringify(heard));
  };

  await point("S1", "a supervisor with an operator has the phone beside the wallboard", async () => {
    await boss.press("login");
    await boss.shown('aside [data-audio="connected"]');
    await boss.is("work");
    await world("talks");
    await page.goto(`${url}/#/wallboard`);
    await action("listen").waitFor();
    assert.equal(await action("take-over").count(), 0, "nothing to take over yet");
  });
  await point("S2", "listen: the browser hears both, nobody hears the browser", async () => {
    await action("listen").click();
    await boss.is("talking");
    await tag("listen");
    assert.equal(await pressed(), "listen");
    await boss.shown('aside [data-supervision="listen"]', "Nobody hears you");
    await shoot("listen");
    await browserHearsBoth();
    assert.equal(await hears("customer"), "operator");
    assert.equal(await hears("operator"), "customer");
  });
  await point("S3", "whisper, by the keyboard: the operator alone hears the browser", async () => {
    await action("whisper").focus();
    await page.keyboard.press("Enter");
    await tag("whisper");
    await page.waitForFunction(() => document.activeElement?.dataset.action === "whisper", undefined, { timeout: 5_000 });
    assert.equal(await hears("operator"), "boss customer");
    assert.equal(await hears("customer"), "operator");
  });
  await point("S4", "barge in, in the widget: all hear each other", async () => {
    await page.locator('aside button[data-action="barge"]').click();
    await tag("barge");
    assert.equal(await pressed(), "barge");
    assert.equal(await hears("operator"), "boss customer");
    assert.equal(await hears("customer"), "boss operator");
    await page.getByRole("button", { name: "日本語" }).click();
    await boss.shown('aside [data-supervision="barge"]', "全員に聞こえます");
    await tag("barge");
    await shoot("barge-japanese");
    await page.getByRole("button", { name: "English" }).click();
    await tag("barge");
  });
  await point("S5", "a reload in mid-supervision: the way and the audio are as before", async () => {
    await page.locator('aside button[data-action="listen"]').click();
    await tag("listen");
    await page.reload();
    await boss.shown('aside [data-audio="connected"]');
    await boss.is("talking");
    await tag("listen");
    await browserHearsBoth();
    assert.equal(await hears("customer"), "operator", "who comes back is heard by nobody");
  });
  await point("S6", "stop: back as before, and the call goes on", async () => {
    await action("stop").click();
    await boss.is("work");
    await page.locator("[data-board=calls] .supervised").waitFor({ state: "detached" });
    assert.equal(await hears("customer"), "operator");
    assert.equal(await hears("operator"), "customer");
  });
  await point("S7", "the tab is closed in mid-supervision: the call goes on and nobody is bound", async () => {
    await action("barge").click();
    await boss.is("talking");
    await page.close();
    const { status } = await world("operator-is", { operator: 1, status: "work", within_s: 30 });
    assert.equal(status, "work");
    assert.equal(await hears("customer"), "operator");
    assert.equal(await hears("operator"), "customer");
  });
  assert.deepEqual(boss.faults, [], "no page had a fault");
  await boss.page.context().close();

  const again = await Console.open(browser, "boss", { permissions: ["microphone"] });
  await point("S8", "take over: the customer and the ticket are the supervisor's", async () => {
    await again.shown('aside [data-audio="connected"]');
    await again.page.goto(`${url}/#/wallboard`);
    const press = (name) => again.page.locator(`[data-board=calls] button[data-action="${name}"]`).click();
    await press("listen");
    await again.is("talking");
    await press("take-over");
    await again.page.waitForURL(/#\/tickets\/\d+/);
    if (shots) await again.page.screenshot({ path: `${shots}/supervision-taken-over.png` });
    assert.equal(await hears("customer"), "boss");
    const { status } = await world("operator-is", { operator: 0, status: "after-call-work" });
    assert.equal(status, "after-call-work");
    await again.press("hold");
    await again.is("holding");
    await again.press("hang-up");
    await again.is("after-call-work");
  });
  await point("S9", "the call's record tells who was in it", async () => {
    const supervisor = await signedIn("supervisor");
    const [record] = (await supervisor("GET", "/call-records")).value.items;
    await again.page.keyboard.press("Escape");
    await again.page.goto(`${url}/#/calls/${record.id}`);
    await again.shown(".timeline", "op2 listens to op1");
    await again.shown(".timeline", "op2 took the call over");
    if (shots) await again.page.screenshot({ path: `${shots}/supervision-record.png` });
  });
  assert.deepEqual(again.faults, [], "no page had a fault");

  await point("S10", "who has no operator is told what is missing", async () => {
    const plain = await Console.open(browser, "supervisor");
    await plain.page.goto(`${url}/#/wallboard`);
    await plain.shown("[data-board=calls]", "needs an operator of its own");
    assert.deepEqual(plain.faults, []);
  });
  await point("S11", "whose browser has no microphone, or whose telephone is not there, is told why and what to do, and nothing changes", async () => {
    // No flag lets this browser's pages have the microphone, and nobody is there to press Allow: it is denied.
    const deaf = await launch();
    const [boss, admin] = [await signedIn("boss"), await signedIn("admin")];
    await boss("POST", "/operators/1/finish-after-call", { to: { status: "work", reason: 0 } });
    await again.page.context().close();
    // The browser of before is given up after a while.
    for (let n = 0; !(await boss("GET", "/operators/1/desk")).value.device_lost; n += 1) {
      assert.ok(n < 120, "the browser of before is lost");
      await new Promise((done) => setTimeout(done, 250));
    }
    const one = await signedIn("op1");
    await one("POST", "/operators/0/finish-after-call", { to: { status: "work", reason: 0 } });
    await one("POST", "/operators/0/logout");
    const lone = await Console.open(deaf, "boss");
    await lone.shown('aside [data-audio="no-microphone"]', "allow this page");
    await world("talks");
    await lone.page.goto(`${url}/#/wallboard`);
    const listen = lone.page.locator('[data-board=calls] button[data-action="listen"]').first();
    await listen.click();
    await lone.shown(".message.bad", "your browser has no audio yet");
    await lone.page.getByRole("button", { name: "日本語" }).click();
    await listen.click();
    await lone.shown(".message.bad", "ブラウザー音声が接続されていません");
    if (shots) await lone.page.screenshot({ path: `${shots}/supervision-no-audio.png` });
    assert.equal(await lone.page.locator("[data-board=calls] .supervised").count(), 0, "nobody is in the call");
    const { value: person } = await admin("GET", "/floor/operators/1");
    await admin("PUT", "/floor/operators/1", { ...person, device: "sip-phone" }, (await admin("GET", "/floor")).etag);
    await listen.click();
    await lone.shown(".message.bad", "電話機が登録されていません");
    await lone.page.getByRole("button", { name: "English" }).click();
    assert.deepEqual(lone.faults, [], "no page had a fault");
    await deaf.close();
  });
  await browser.close();
});
