// Dialogs and short messages.

import { h, replace } from "./element.js";
import { t } from "./words.js";
import { Refused } from "./api.js";
import { refusal } from "./problems.js";

/**
 * Opens a dialog. `submit` is called with the form; the dialog closes when it is done, or shows why it was refused.
 * @param {{title: string, key?: string, wide?: boolean, content: (import("./element.js").Child)[],
 *          actions?: {text: string, name?: string, kind?: string}[],
 *          submit?: (form: HTMLFormElement, action: string) => Promise<unknown> | void, closed?: () => void}} of
 */
export function dialog(of) {
  const wrong = h("p.wrong", { role: "alert", hidden: true });
  const actions = of.actions ?? [{ text: t("ok"), name: "ok", kind: "primary" }];
  const titleId = `dialog-title-${of.key ?? "it"}`;
  const buttons = actions.map((action) =>
    h(`button.${action.kind ?? "plain"}`, { type: "submit", value: action.name ?? "ok", data: { action: action.name ?? "ok" } }, action.text));
  const form = /** @type {HTMLFormElement} */ (h("form", { method: "dialog", novalidate: false },
    h("header", null, h("h2", { id: titleId }, of.title),
      h("button.quiet", { type: "button", "aria-label": t("close"), onclick: () => element.close() }, "×")),
    h("div.content", null, of.content),
    wrong,
    h("footer", null, buttons)));
  const element = /** @type {HTMLDialogElement} */ (h(of.wide ? "dialog.wide" : "dialog",
    { "aria-labelledby": titleId, data: { dialog: of.key ?? "" } }, form));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!of.submit) return element.close();
    const action = /** @type {HTMLButtonElement} */ (event.submitter)?.value ?? actions[0].name ?? "ok";
    for (const button of buttons) button.setAttribute("disabled", "");
    try {
      await of.submit(form, action);
      element.close();
    } catch (problem) {
      wrong.hidden = false;
      wrong.textContent = wordsOf(problem);
    } finally {
      for (const button of buttons) button.removeAttribute("disabled");
    }
  });
  element.addEventListener("close", () => {
    element.remove();
    of.closed?.();
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/** What to tell a person of what went wrong. @param {unknown} problem */
export function wordsOf(problem) {
  if (problem instanceof Refused) return refusal(problem.problem);
  if (problem instanceof Error) return problem.message;
  return String(problem);
}

/** Asks for a yes. @param {string} title @param {string} text @param {string} yes @returns {Promise<boolean>} */
export function confirmed(title, text, yes) {
  return new Promise((done) => {
    let said = false;
    dialog({
      title,
      key: "confirm",
      content: [h("p", null, text)],
      actions: [{ text: yes, name: "yes", kind: "danger" }],
      submit: () => { said = true; },
      closed: () => done(said),
    });
  });
}

const board = h("div.messages", { role: "status", "aria-live": "polite" });
document.body.append(board);

/** A message that goes by itself. @param {string} text @param {"good" | "bad"} [kind] */
export function tell(text, kind = "good") {
  const message = h(`p.message.${kind}`, null, text);
  board.append(message);
  setTimeout(() => message.remove(), kind === "bad" ? 10_000 : 4_000);
}

/** Runs what a person asked for; where it is refused, says why. @param {() => Promise<unknown>} order */
export async function attempt(order) {
  try {
    return await order();
  } catch (problem) {
    tell(wordsOf(problem), "bad");
    return undefined;
  }
}

/** A page's content that comes from the server, or why it does not, with a way to try again.
 * @param {Element} into @param {() => Promise<import("./element.js").Child | import("./element.js").Child[]>} load */
export async function show(into, load) {
  try {
    const content = await load();
    replace(into, content);
  } catch (problem) {
    replace(into, h("div.failed", { role: "alert" }, h("p", null, wordsOf(problem)),
      h("button", { type: "button", onclick: () => show(into, load) }, t("retry"))));
  }
}
