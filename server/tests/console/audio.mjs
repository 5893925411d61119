// An operator's browser hears the customer, and the customer hears what the browser's microphone hears.

import { Console, assert, launch, point, run, world } from "./harness.mjs";

await run(async () => {
  const browser = await launch(
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-audio-capture=${process.env.CONSOLE_MICROPHONE}`,
  );
  const one = await Console.open(browser, "op1", { permissions: ["microphone"] });
  const { page } = one;
  /** The loudest frequency that the page hears, in Hz, over so long. */
  const hears = (ms) => page.evaluate(async (ms) => {
    const context = new AudioContext();
    await context.resume();
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    const stream = document.querySelector("audio").srcObject;
    context.createMediaStreamSource(stream).connect(analyser);
    const sum = new Float64Array(analyser.frequencyBinCount);
    const spectrum = new Uint8Array(analyser.frequencyBinCount);
    for (const until = Date.now() + ms; Date.now() < until;) {
      await new Promise((done) => setTimeout(done, 50));
      analyser.getByteFrequencyData(spectrum);
      spectrum.forEach((level, bin) => { sum[bin] += level; });
    }
    await context.close();
    let loudest = 0;
    sum.forEach((level, bin) => { if (level > sum[loudest]) loudest = bin; });
    return { hz: loudest * 48_000 / 4096 * (context.sampleRate / 48_000), level: sum[loudest] };
  }, ms);

  await point("P25", "login connects the browser's audio", async () => {
    await one.press("login");
    await one.shown('aside [data-audio="connected"]');
  });
  await point("P27", "a telephone's call is answered in the browser", async () => {
    await one.press("status-ready");
    await one.is("ready");
    await world("telephone-calls");
    await one.is("ringing");
    await one.press("answer");
    await one.is("talking");
  });
  await point("P40", "the customer's tone of 800 Hz arrives in the browser", async () => {
    const { hz, level } = await hears(2_000);
    console.log(`  heard ${hz.toFixed(0)} Hz, level ${level.toFixed(0)}`);
    assert.ok(Math.abs(hz - 800) < 40, `${hz} Hz`);
  });
  await point("P40", "the browser's microphone arrives at the customer", async () => {
    const { hz } = await world("telephone-hears");
    console.log(`  heard ${hz.toFixed(0)} Hz`);
    assert.ok(Math.abs(hz - 1_200) < 40, `${hz} Hz`);
  });
  await point("P56", "on hold the customer hears the music, not the microphone", async () => {
    await one.press("hold");
    await one.is("holding");
    const { music, hz } = await world("telephone-hears");
    console.log(`  correlation with the music ${music.toFixed(3)}`);
    assert.ok(music > 0.95 || Math.abs(hz - 1_200) > 60, `${music}, ${hz} Hz`);
    assert.ok(music > 0.9, `${music}`);
  });
  await point("P57", "released, both hear each other again", async () => {
    await one.press("release");
    await one.is("talking");
    const { hz } = await world("telephone-hears");
    assert.ok(Math.abs(hz - 1_200) < 40, `${hz} Hz`);
  });
  await point("B8", "a reload in mid-call: the audio is back and the call goes on", async () => {
    await page.reload();
    await one.is("talking");
    await one.shown('aside [data-audio="connected"]');
    const back = await hears(1_500);
    assert.ok(Math.abs(back.hz - 800) < 40, `${back.hz} Hz`);
    const { hz } = await world("telephone-hears");
    assert.ok(Math.abs(hz - 1_200) < 40, `${hz} Hz`);
  });
  await point("P12, P55", "the forced end's announcement is heard before the call ends", async () => {
    await one.press("force-end");
    await one.dialog("force-end").locator("button[data-action=ok]").click();
    const { announcement } = await world("telephone-hears");
    console.log(`  correlation with the announcement ${announcement.toFixed(3)}`);
    assert.ok(announcement > 0.9, `${announcement}`);
    await one.is("after-call-work");
  });
  await point("B8", "a closed tab in mid-call: the customer waits again, before all others", async () => {
    await one.dialog("end-of-call").locator("button[data-action=ready]").click();
    await one.is("ready");
    await world("telephone-calls");
    await one.is("ringing");
    await one.press("answer");
    await one.is("talking");
    await page.close();
    const { status } = await world("operator-is", { operator: 0, status: "after-call-work", within_s: 30 });
    assert.equal(status, "after-call-work");
    const { waiting } = await world("waiting");
    assert.equal(waiting, 1);
  });
  assert.deepEqual(one.faults, [], "no page had a fault");
  await browser.close();
});
