// Opening hours of a service: a week, holidays, a time zone.

import { h, field } from "../../element.js";
import { addWords, t } from "../../words.js";
import { Bound, check } from "./bound.js";
import { zones } from "./choices.js";

addWords({
  "hours.always": ["Open day and night", "24時間営業"],
  "hours.zone": ["Time zone", "タイムゾーン"],
  "hours.week": ["Week", "曜日ごとの営業時間"],
  "hours.hint": ["As in 09:00-12:00 13:00-18:00; 24:00 is the day's end; empty is closed.", "例: 09:00-12:00 13:00-18:00。24:00 は一日の終わり、空欄は休業です。"],
  "hours.wrong": ["Times as in 09:00-18:00, in order and apart, are right", "09:00-18:00 のように、重ならず順番に入力してください"],
  "hours.copy": ["As on Monday, Tuesday to Friday", "火曜から金曜を月曜と同じにする"],
  "hours.holidays": ["Holidays and other days that are not like their weekday", "祝日・特別営業日"],
  "hours.date": ["Day", "日付"],
  "hours.open": ["Open", "営業時間"],
  "hours.closed": ["closed", "休業"],
  "hours.add-holiday": ["Add a day", "日を追加"],
  "hours.twice": ["This day is there twice", "同じ日が二つあります"],
  "day.monday": ["Monday", "月曜日"],
  "day.tuesday": ["Tuesday", "火曜日"],
  "day.wednesday": ["Wednesday", "水曜日"],
  "day.thursday": ["Thursday", "木曜日"],
  "day.friday": ["Friday", "金曜日"],
  "day.saturday": ["Saturday", "土曜日"],
  "day.sunday": ["Sunday", "日曜日"],
});

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** @typedef {{zone: string, week: Record<string, string>, holidays: {date: string, name: string, open: string}[]}} Hours as they are typed */

const typed = (/** @type {[string, string][]} */ times) => times.map(([from, to]) => `${from}-${to}`).join(" ");

/** Opening times as typed; `null` where they are not right. @param {string} text @returns {[string, string][] | null} */
export function timesOf(text) {
  /** @type {[string, string][]} */
  const found = [];
  for (const part of text.trim().split(/[\s,、]+/).filter(Boolean)) {
    const match = /^(\d{1,2}:\d{2})[-–~〜](\d{1,2}:\d{2})$/.exec(part);
    if (!match) return null;
    const [from, to] = [match[1].padStart(5, "0"), match[2].padStart(5, "0")];
    const isTime = (/** @type {string} */ it) => it === "24:00" || /^([01]\d|2[0-3]):[0-5]\d$/.test(it);
    if (!isTime(from) || !isTime(to) || from >= to || (found.length > 0 && from < found[found.length - 1][1])) return null;
    found.push([from, to]);
  }
  return found;
}

/** @param {any} schedule as the server has it @returns {Hours | null} */
export function scheduleOf(schedule) {
  if (!schedule) return null;
  return {
    zone: schedule.zone,
    week: Object.fromEntries(DAYS.map((day) => [day, typed(schedule.week[day] ?? [])])),
    holidays: schedule.holidays.map((/** @type {any} */ it) => ({ date: it.date, name: it.name ?? "", open: typed(it.open ?? []) })),
  };
}

/** @param {Hours | null} hours */
export function scheduleToSend(hours) {
  if (!hours) return null;
  const week = DAYS.map((day) => /** @type {[string, [string, string][]]} */ ([day, timesOf(hours.week[day]) ?? []]));
  return {
    zone: hours.zone,
    week: Object.fromEntries(week.filter(([, times]) => times.length > 0)),
    holidays: hours.holidays.map((it) => ({ ...it, open: timesOf(it.open) ?? [] })),
  };
}

/** @param {Hours | null} hours */
export function hoursAreRight(hours) {
  if (!hours) return true;
  const dates = hours.holidays.map((it) => it.date);
  return DAYS.every((day) => timesOf(hours.week[day])) && hours.holidays.every((it) => it.date && timesOf(it.open))
    && new Set(dates).size === dates.length;
}

/** @param {any} draft of a service @param {() => void} again */
export function hours(draft, again) {
  const always = check(t("hours.always"), {
    checked: draft.schedule === null, data: { key: "always" },
    onchange: (/** @type {Event} */ event) => {
      const { checked } = /** @type {HTMLInputElement} */ (event.target);
      const office = Object.fromEntries(DAYS.map((day, at) => [day, at < 5 ? "09:00-18:00" : ""]));
      draft.schedule = checked ? null : { zone: draft.zone, week: office, holidays: [] };
      again();
    },
  });
  if (!draft.schedule) return h("fieldset.card", null, always);
  /** @type {Hours} */
  const schedule = draft.schedule;
  const own = new Bound(schedule, "schedule");
  const week = new Bound(schedule.week, "week");
  return h("div", null,
    h("fieldset.card", null, always, zones(), field(t("hours.zone"), own.text("zone", { list: "zones" }))),
    h("fieldset.card", null, h("legend", null, t("hours.week")), h("p.small", null, t("hours.hint")),
      h("div.week", null, DAYS.map((day) => field(t(`day.${day}`), times(week, day)))),
      h("button", { type: "button", onclick: () => {
        for (const day of DAYS.slice(1, 5)) schedule.week[day] = schedule.week.monday;
        again();
      } }, t("hours.copy"))),
    h("fieldset.card", null, h("legend", null, t("hours.holidays")),
      h("ol.entries", null, schedule.holidays.map((holiday, at) => {
        const one = new Bound(holiday, `holiday-${at}`);
        const date = one.text("date", { type: "date", oninvalid: null });
        date.addEventListener("input", () => judge(/** @type {HTMLInputElement} */ (date),
          schedule.holidays.some((other) => other !== holiday && other.date === holiday.date) ? t("hours.twice") : ""));
        return h("li.inline", { data: { holiday: at } },
          field(t("hours.date"), date), field(t("name"), one.text("name", { optional: true, required: false })),
          field(t("hours.open"), times(one, "open")),
          h("button.quiet", { type: "button", "aria-label": `${t("remove")}: ${holiday.date}`, onclick: () => { schedule.holidays.splice(at, 1); again(); } }, "×"));
      })),
      h("button", { type: "button", data: { action: "add-holiday" }, onclick: () => { schedule.holidays.push({ date: "", name: "", open: "" }); again(); } },
        t("hours.add-holiday"))));
}

/** @param {Bound} bound @param {string} key */
function times(bound, key) {
  const input = /** @type {HTMLInputElement} */ (bound.text(key, { required: false, maxlength: 200, placeholder: t("hours.closed") }));
  const look = () => judge(input, timesOf(input.value) ? "" : t("hours.wrong"));
  input.addEventListener("input", look);
  look();
  return input;
}

/** @param {HTMLInputElement} input @param {string} wrong */
function judge(input, wrong) {
  input.setCustomValidity(wrong);
  input.title = wrong;
  if (wrong) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}
