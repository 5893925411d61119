// A small plot of a queue's intervals: bars of what became of the calls, and the service level below them.

import { h } from "../../element.js";
import { addWords, t } from "../../words.js";

addWords({
  "plot.answered": ["answered", "応答"],
  "plot.abandoned": ["abandoned", "放棄"],
  "plot.other": ["flowed out or still waiting", "流出・待ち"],
  "plot.level": ["service level", "サービスレベル"],
  "plot.target": ["target", "目標"],
  "plot.calls": ["Calls", "通話数"],
  "plot.of": ["{}: offered, answered, abandoned and service level by interval. The table below has the numbers.", "{}: 区間ごとの着信・応答・放棄・サービスレベル。数値は下の表にあります。"],
});

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 900;
const LEFT = 44;
const RIGHT = 8;
const BARS = { top: 8, height: 150 };
const LEVEL = { top: 182, height: 90 };
const HEIGHT = 300;

/** @typedef {{label: string, offered: number, answered: number, abandoned: number, level: number | undefined}} Point */

/** @param {string} name @param {Record<string, string | number>} properties @param {...(Node | string)} children */
export function s(name, properties, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** Three to five round steps up to what is at least `most`. @param {number} most */
export function steps(most) {
  const raw = Math.max(1, most) / 4;
  const ten = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, [1, 2, 5, 10].map((it) => it * ten).find((it) => it >= raw) ?? raw);
  return Array.from({ length: Math.ceil(Math.max(1, most) / step) + 1 }, (_, n) => n * step);
}

/** @param {string} name of the queue @param {Point[]} points @param {number | null} target the share that is aimed at */
export function plot(name, points, target) {
  const ticks = steps(Math.max(...points.map((it) => it.offered)));
  const top = ticks[ticks.length - 1];
  const slot = (WIDTH - LEFT - RIGHT) / points.length;
  const x = (/** @type {number} */ at) => LEFT + slot * at;
  const y = (/** @type {number} */ count) => BARS.top + BARS.height * (1 - count / top);
  const level = (/** @type {number} */ share) => LEVEL.top + LEVEL.height * (1 - share);
  const line = (/** @type {number} */ at, /** @type {string} */ kind) => s("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at, class: kind });
  const text = (/** @type {string} */ what, /** @type {number} */ at, /** @type {number} */ down, anchor = "end") =>
    s("text", { x: at, y: down, "text-anchor": anchor }, what);
  const picture = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": t("plot.of").replace("{}", name), class: "plot" });
  for (const tick of ticks) picture.append(line(y(tick), "rule"), text(String(tick), LEFT - 6, y(tick) + 4));
  for (const share of [0, 0.5, 1]) picture.append(line(level(share), "rule"), text(`${100 * share} %`, LEFT - 6, level(share) + 4));
  if (target !== null) picture.append(line(level(target), "target"));
  const every = Math.ceil(points.length / 10);
  points.forEach((point, at) => {
    const width = Math.max(1, slot * 0.72);
    const bar = (/** @type {number} */ from, /** @type {number} */ count, /** @type {string} */ kind) =>
      s("rect", { x: x(at) + (slot - width) / 2, width, y: y(from + count), height: Math.max(0, y(from) - y(from + count)), class: kind });
    const other = Math.max(0, point.offered - point.answered - point.abandoned);
    const title = `${point.label}: N ${point.offered}, A ${point.answered}, B ${point.abandoned}${point.level === undefined ? "" : `, ${(100 * point.level).toFixed(1)} %`}`;
    picture.append(s("g", {}, s("title", {}, title),
      s("rect", { x: x(at), width: slot, y: BARS.top, height: LEVEL.top + LEVEL.height - BARS.top, class: "hit" }),
      bar(0, point.answered, "answered"), bar(point.answered, point.abandoned, "abandoned"), bar(point.answered + point.abandoned, other, "other"),
      ...(point.level === undefined ? [] : [s("circle", { cx: x(at) + slot / 2, cy: level(point.level), r: 3, class: "level" })])));
    if (at % every === 0) picture.append(text(short(point.label), x(at) + slot / 2, HEIGHT - 8, "middle"));
  });
  for (const part of runs(points)) {
    if (part.length > 1) picture.append(s("polyline", { points: part.map(([at, share]) => `${x(at) + slot / 2},${level(share)}`).join(" "), class: "level" }));
  }
  const key = (/** @type {string} */ kind) => h("li", null, h(`span.key.${kind}`, { "aria-hidden": "true" }), t(`plot.${kind}`));
  return h("figure.figure-plot", null, h("div.scrolled", { role: "region", tabindex: 0, "aria-label": name }, picture),
    h("figcaption", null, h("ul.legend", null, key("answered"), key("abandoned"), key("other"), key("level"), target !== null && key("target"))));
}

/** Stretches in which there is a level. @param {Point[]} points @returns {[at: number, share: number][][]} */
function runs(points) {
  /** @type {[number, number][][]} */
  const found = [[]];
  points.forEach((point, at) => {
    if (point.level === undefined) found.push([]);
    else found[found.length - 1].push([at, point.level]);
  });
  return found;
}

/** The hour of an interval, or the day where rows are days. @param {string} label `2026-11-25 09:00 +09:00` or `2026-11-25` */
function short(label) {
  const [day, hour] = label.split(" ");
  return hour ?? day.slice(5);
}

/** A mean with its interval on a scale. @param {number} mean @param {[number, number] | null | undefined} band
 * @param {number} low @param {number} high @param {string} words what it says */
export function interval(mean, band, low, high, words) {
  const x = (/** @type {number} */ value) => 20 + 260 * ((Math.min(high, Math.max(low, value)) - low) / (high - low));
  const picture = s("svg", { viewBox: "0 0 300 44", role: "img", "aria-label": words, class: "interval" },
    s("line", { x1: x(low), x2: x(high), y1: 16, y2: 16, class: "rule" }));
  for (let at = low; at <= high; at += 1) {
    picture.append(s("line", { x1: x(at), x2: x(at), y1: 12, y2: 20, class: "rule" }), s("text", { x: x(at), y: 38, "text-anchor": "middle" }, String(at)));
  }
  if (band) picture.append(s("line", { x1: x(band[0]), x2: x(band[1]), y1: 16, y2: 16, class: "band" }));
  picture.append(s("circle", { cx: x(mean), cy: 16, r: 5, class: "mean" }));
  return picture;
}
