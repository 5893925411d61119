// Pages that follow the floor: read anew when something happens that concerns them.

import { stream } from "../../session.js";

/** What is read anew after an event is not read again for so long, however much happens. */
const PAUSE_MS = 1_000;

/**
 * Calls `read` after events that concern it, at once where it was quiet and then once a second at most; and when the
 * connection is back. What changes without an event is found by reading every `everyMs`, while the page is looked at.
 * @param {(happened: import("../../stream.js").Happened) => boolean} concerns
 * @param {() => Promise<unknown>} read
 * @param {number} [everyMs]
 * @returns {() => void} ends it
 */
export function follow(concerns, read, everyMs) {
  let last = 0;
  let [reading, again, over] = [false, false, false];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const run = async () => {
    timer = undefined;
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    last = Date.now();
    try {
      await read();
    } catch {
      // The banner says that the connection is lost; when it is back we read anew.
    }
    reading = false;
    if (again) {
      again = false;
      soon();
    }
  };
  const soon = () => {
    if (over || timer !== undefined) return;
    timer = setTimeout(run, Math.max(0, last + PAUSE_MS - Date.now()));
  };
  const looked = () => document.visibilityState === "visible" && soon();
  const unlisten = stream.listen((happened) => concerns(happened) && soon());
  const interval = everyMs ? setInterval(looked, everyMs) : undefined;
  stream.addEventListener("live", soon);
  stream.addEventListener("gap", soon);
  document.addEventListener("visibilitychange", looked);
  return () => {
    over = true;
    unlisten();
    clearTimeout(timer);
    clearInterval(interval);
    stream.removeEventListener("live", soon);
    stream.removeEventListener("gap", soon);
    document.removeEventListener("visibilitychange", looked);
  };
}
