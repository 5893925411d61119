// What was typed and not sent: kept by the browser's tab, so that a reload loses none of it.

import { who } from "../../session.js";

/** @template {Record<string, any>} T */
export class Draft {
  /** @param {string} of what it is for: `ticket-12` */
  constructor(of) {
    const { organisation, login } = who();
    this.key = `callfloor-draft/${organisation}/${login}/${of}`;
  }

  /** @returns {Partial<T>} */
  read() {
    try {
      return JSON.parse(sessionStorage.getItem(this.key) ?? "{}");
    } catch {
      return {};
    }
  }

  /** Keeps some parts; an empty or undefined one is forgotten. @param {Partial<T>} parts */
  keep(parts) {
    const all = Object.entries({ ...this.read(), ...parts }).filter(([, value]) => value !== undefined && value !== "");
    try {
      if (all.length === 0) sessionStorage.removeItem(this.key);
      else sessionStorage.setItem(this.key, JSON.stringify(Object.fromEntries(all)));
    } catch {
      // A full store: the text is still on the screen.
    }
  }
}
