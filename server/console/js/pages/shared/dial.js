// A customer's number that is dialled by a press: the phone's own dialog opens with it.

import { h } from "../../element.js";
import { who } from "../../session.js";
import { addWords, t } from "../../words.js";

addWords({
  "dial.number": ["Dial {}", "{} に発信"],
});

/** What the phone listens for. */
export const DIAL = "callfloor-dial";

/** The number, to be pressed where whoever is signed in has a phone and sees all of it. @param {string | null | undefined} number */
export function dialled(number) {
  if (!number || who().operator === null || !/^\+?[\d\-() ]{3,}$/.test(number)) return number ?? "";
  const label = t("dial.number").replace("{}", number);
  return h("button.dial", {
    type: "button", title: label, "aria-label": label, data: { dial: number },
    onclick: () => document.dispatchEvent(new CustomEvent(DIAL, { detail: number })),
  }, number);
}

/** Several. @param {string[]} numbers */
export function dialledAll(numbers) {
  return numbers.length > 0 && h("span.dials", null, numbers.map(dialled));
}
