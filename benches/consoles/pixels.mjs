// An operator's console in a real Chromium while `consoles.py` makes calls: how long after a status's own time at the server the
// frame is drawn that shows it. Says `ready` once the phone widget is there, and at the end the delays as JSON.

import { createRequire } from "node:module";

const { CONSOLE_URL: url, CONSOLE_LOGIN: login, CONSOLE_PASSWORD: password, CONSOLE_SECONDS: seconds } = process.env;
const operator = Number(process.env.CONSOLE_OPERATOR);
const { chromium } = createRequire(`${process.env.CONSOLE_MODULES}/`)("playwright-core");

const browser = await chromium.launch({ executablePath: process.env.CONSOLE_CHROMIUM, args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"] });
const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" })).newPage();
await page.addInitScript((operator) => {
  const now_us = () => 1_000 * (performance.timeOrigin + performance.now());
  const told = [];
  const measured = { delays_us: [], statuses: {} };
  Object.assign(window, { measured });
  const { WebSocket } = window;
  window.WebSocket = class extends WebSocket {
    constructor(...of) {
      super(...of);
      this.addEventListener("message", ({ data }) => {
        const happened = JSON.parse(data);
        if (happened.event === "status-changed" && happened.operator === operator) told.push(happened);
      });
    }
  };
  let shown;
  new MutationObserver(() => {
    const status = document.querySelector("aside")?.dataset.status;
    if (status === shown) return;
    shown = status;
    // The message comes once the frame is drawn. A desk that was asked for by an earlier event may show a status before its own
    // event is here: that one is not measured.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        const drawn_us = now_us();
        const event = told.findLast(({ to }) => to === status);
        if (!event) return;
        told.splice(0, told.indexOf(event) + 1);
        measured.delays_us.push(Math.round(drawn_us - event.at_us));
        measured.statuses[status] = (measured.statuses[status] ?? 0) + 1;
      };
      port2.postMessage(null);
    });
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-status"] });
}, operator);
await page.goto(url);
await page.fill("input[name=login]", login);
await page.fill("input[name=password]", password);
await page.click("form.sign-in button.primary");
await page.waitForSelector("aside[data-status=ready]");
console.log("ready");
await page.waitForTimeout(1_000 * Number(seconds) + 8_000);
console.log(JSON.stringify(await page.evaluate(() => window.measured)));
await browser.close();
