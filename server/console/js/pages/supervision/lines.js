// A small plot of one figure over a day: a line for what happened, for the plan, for the changed plan.

import { h } from "../../element.js";
import { s, steps } from "./plot.js";

const WIDTH = 900;
const HEIGHT = 190;
const LEFT = 48;
const RIGHT = 8;
const AREA = { top: 10, height: 148 };

/**
 * @param {string} title
 * @param {string[]} starts of the intervals
 * @param {{kind: string, title: string, values: (number | null)[]}[]} sides `kind` is the line's class
 * @param {boolean} share whether values are shares, drawn from 0 to 100 %
 */
export function lines(title, starts, sides, share) {
  const most = Math.max(0, ...sides.flatMap((side) => side.values.map((value) => value ?? 0)));
  const ticks = share ? [0, 0.5, 1] : steps(most);
  const top = ticks[ticks.length - 1];
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, starts.length);
  const x = (/** @type {number} */ at) => LEFT + slot * (at + 0.5);
  const y = (/** @type {number} */ value) => AREA.top + AREA.height * (1 - value / top);
  const text = (/** @type {string} */ what, /** @type {number} */ at, /** @type {number} */ down, anchor = "end") => s("text", { x: at, y: down, "text-anchor": anchor }, what);
  const words = (/** @type {number} */ value) => (share ? `${(100 * value).toFixed(0)} %` : String(Math.round(10 * value) / 10));
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${sides.map((side) => side.title).join(", ")}`, class: "plot" });
  for (const tick of ticks) {
    picture.append(s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick), class: "rule" }), text(words(tick), LEFT - 6, y(tick) + 4));
  }
  const every = Math.ceil(starts.length / 10);
  starts.forEach((start, at) => {
    if (at % every === 0) picture.append(text(start.split(" ").at(-1) ?? start, x(at), HEIGHT - 8, "middle"));
    const told = sides.map((side) => `${side.title} ${side.values[at] === null ? "–" : words(/** @type {number} */ (side.values[at]))}`).join(", ");
    picture.append(s("g", {}, s("title", {}, `${start}: ${told}`), s("rect", { x: LEFT + slot * at, width: slot, y: AREA.top, height: AREA.height, class: "hit" })));
  });
  for (const side of sides) {
    for (const part of stretches(side.values)) {
      picture.append(part.length > 1
        ? s("polyline", { points: part.map(([at, value]) => `${x(at)},${y(value)}`).join(" "), class: `side ${side.kind}` })
        : s("circle", { cx: x(part[0][0]), cy: y(part[0][1]), r: 3, class: `side ${side.kind}` }));
    }
  }
  const key = (/** @type {{kind: string, title: string}} */ side) => h("li", null, h(`span.key.side.${side.kind}`, { "aria-hidden": "true" }), side.title);
  return h("figure.figure-plot", null, h("h4", null, title), h("div.scrolled", { role: "region", tabindex: 0, "aria-label": title }, picture),
    h("figcaption", null, h("ul.legend", null, sides.map(key))));
}

/** Stretches without a gap. @param {(number | null)[]} values @returns {[at: number, value: number][][]} */
function stretches(values) {
  /** @type {[number, number][][]} */
  const found = [];
  values.forEach((value, at) => {
    if (value === null) return;
    if (at === 0 || values[at - 1] === null) found.push([]);
    found[found.length - 1].push([at, value]);
  });
  return found;
}
