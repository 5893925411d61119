// What every browser test says often. The test's other half starts this as a process: it does in the world what we ask by a
// line on our output, and answers by a line on our input.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { strict as assert } from "node:assert";

const require = createRequire(`${process.env.CONSOLE_MODULES}/`);
const { chromium } = require("playwright-core");
export { assert, require };

export const url = process.env.CONSOLE_URL ?? "";
const password = process.env.CONSOLE_PASSWORD ?? "";
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Something that happens in the world, done by the test's other half. */
export async function world(what, more = {}) {
  console.log(`?${JSON.stringify({ what, ...more })}`);
  const { value, done } = await answers.next();
  if (done) throw new Error("the test's other half has gone");
  return JSON.parse(value);
}

export async function launch(...args) {
  return chromium.launch({
    executablePath: process.env.CONSOLE_CHROMIUM,
    args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", ...args],
  });
}

/** A program's way to the API, beside the browsers. */
export async function signedIn(login) {
  const said = await fetch(`${url}/api/v1/sessions`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ login, password }),
  });
  assert.equal(said.status, 201, `${login} signs in`);
  const { token } = await said.json();
  return async (method, path, body, etag) => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...(etag ? { "If-Match": etag } : {}) },
    });
    const text = await answer.text();
    const value = text && (answer.headers.get("Content-Type") ?? "").includes("json") ? JSON.parse(text) : text;
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return { value, etag: answer.headers.get("ETag") };
  };
}

/** An operator's console in a browser of their own. */
export class Console {
  static async open(browser, login, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US", ...options });
    const page = await context.newPage();
    const it = new Console(page, login);
    page.on("pageerror", (problem) => it.faults.push(`${login}: ${problem.message}`));
    page.on("console", (message) => {
      const text = message.text();
      // Asking who is signed in before anybody is, and orders that a test wants refused.
      if (text.startsWith("no words for")) it.faults.push(`${login}: ${text}`);
      if (message.type() === "error" && !/status of (400|401|409|412|422)/.test(text)) it.faults.push(`${login}: ${text}`);
    });
    await page.goto(`${url}/`);
    await it.signIn();
    return it;
  }

  constructor(page, login) {
    this.page = page;
    this.login = login;
    this.faults = [];
  }

  async signIn() {
    await this.page.fill("input[name=login]", this.login);
    await this.page.fill("input[name=password]", password);
    await this.page.click("form.sign-in button.primary");
    await this.page.waitForSelector("main h1");
  }

  button(key) {
    return this.page.locator(`aside button[data-key="${key}"]`);
  }

  async press(key) {
    await this.button(key).click();
  }

  /** Waits until a button of the widget can be pressed: what makes it so may still be on its way. */
  async can(key) {
    await this.page.locator(`aside button[data-key="${key}"]:enabled`).waitFor({ timeout: 20_000 });
  }

  /** Waits until the widget shows a status. */
  async is(status) {
    await this.page.waitForFunction((it) => document.querySelector("aside")?.dataset.status === it, status, { timeout: 20_000 })
      .catch(async () => {
        const found = await this.page.evaluate(() => document.querySelector("aside")?.dataset.status);
        throw new Error(`${this.login} is ${found}, not ${status}`);
      });
  }

  async shown(selector, text) {
    const found = text === undefined ? this.page.locator(selector) : this.page.locator(selector, { hasText: text });
    await found.first().waitFor({ state: "visible", timeout: 20_000 });
  }

  async gone(selector) {
    await this.page.locator(selector).first().waitFor({ state: "hidden", timeout: 20_000 });
  }

  dialog(key) {
    return this.page.locator(`dialog[data-dialog="${key}"]`);
  }
}

let done = 0;

/** One point of the checklist, by its number. */
export async function point(number, text, check) {
  try {
    await check();
    done += 1;
    console.log(`${number} ${text}`);
  } catch (problem) {
    console.log(`${number} ${text}: FAILED`);
    throw problem;
  }
}

/** Runs a test to its end; a fault ends the process with 1. */
export async function run(test) {
  try {
    await test();
    assert.ok(done > 0, "something was looked at");
    console.log(`${done} points`);
    process.exit(0);
  } catch (problem) {
    console.log(problem.stack ?? String(problem));
    process.exit(1);
  }
}
