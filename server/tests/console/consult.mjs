// A consult transfer among three who all have real audio: the customer at a telephone, each operator in a browser of their own.

import { Console, assert, launch, point, run, world } from "./harness.mjs";

const TONES = { 800: "customer", 1200: "first", 2000: "second" };

await run(async () => {
  const audio = (microphone) => launch(
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${microphone}`,
  );
  const browsers = [await audio(process.env.CONSOLE_MICROPHONE), await audio(process.env.CONSOLE_OTHER_MICROPHONE)];
  const [first, second] = [
    await Console.open(browsers[0], "op1", { permissions: ["microphone"] }),
    await Console.open(browsers[1], "op2", { permissions: ["microphone"] }),
  ];
  /** Whom the customer hears, or the music. */
  const customerHears = async () => {
    const { levels, music } = await world("customer-hears");
    console.log(`  ${JSON.stringify(levels)}, music ${music.toFixed(2)}`);
    if (music > 0.9) return "music";
    return Object.entries(levels).filter(([, level]) => level > 300).map(([hz]) => TONES[hz]).sort().join(" ");
  };
  const ready = async (who) => {
    const prompt = who.dialog("end-of-call");
    if (await prompt.count() > 0) await prompt.locator("button[data-action=ready]").click();
    else await who.press("status-ready");
    await who.is("ready");
  };
  const consult = async () => {
    await first.press("transfer");
    await first.dialog("transfer").locator('button[data-connect="operator-1"]').click();
    await second.is("ringing");
    await first.is("holding");
    assert.equal(await customerHears(), "music");
  };
  const holdsAgain = async () => {
    await first.is("holding");
    assert.equal(await customerHears(), "music");
    await first.press("release");
    await first.is("talking");
    assert.equal(await customerHears(), "first");
  };

  await point("P27", "a telephone's call is answered in the first browser", async () => {
    for (const who of [first, second]) {
      await who.press("login");
      await who.shown('aside [data-audio="connected"]');
    }
    await ready(first);
    await world("telephone-calls");
    await first.is("ringing");
    await first.press("answer");
    await first.is("talking");
    assert.equal(await customerHears(), "first");
    await ready(second);
  });
  await point("P43", "the target declines", async () => {
    await consult();
    await second.press("decline");
    await second.is("work");
    await holdsAgain();
  });
  await point("P42", "the target is silent", async () => {
    await ready(second);
    await consult();
    await second.is("work");
    await holdsAgain();
  });
  await point("P51", "the target answers and hangs up", async () => {
    await ready(second);
    await consult();
    await second.press("answer");
    await first.is("consulting");
    assert.equal(await customerHears(), "music", "the customer does not hear the consult");
    await second.press("hang-up");
    await second.is("after-call-work");
    await holdsAgain();
  });
  await point("B8", "the first operator's tab is closed in a consult: the target has the customer", async () => {
    await ready(second);
    await consult();
    await second.press("answer");
    await first.is("consulting");
    await first.page.close();
    const { status } = await world("operator-is", { operator: 0, status: "after-call-work", within_s: 30 });
    assert.equal(status, "after-call-work");
    await second.page.waitForURL(/#\/tickets\/\d+/);
    assert.equal(await customerHears(), "second");
    await second.press("hang-up");
    await second.is("after-call-work");
  });
  assert.deepEqual([...first.faults, ...second.faults], [], "no page had a fault");
  for (const browser of browsers) await browser.close();
});
