// A place on a page whose content comes from the server, again and again.

import { h, replace } from "../../element.js";
import { show } from "../../dialog.js";

/** @typedef {import("../../element.js").Child} Child */

export class Place {
  /** @param {() => Promise<Child | Child[]>} load */
  constructor(load) {
    this.load = load;
    this.element = h("div.room");
    this.asked = 0;
  }

  /** Reads; what was overtaken by a later question is not shown, a failure is shown with a way to try again. */
  async show() {
    const mine = (this.asked += 1);
    const content = h("div");
    await show(content, this.load);
    if (mine === this.asked) this.put(content);
  }

  /** Reads again; what is shown stays where that fails. */
  async refresh() {
    const mine = (this.asked += 1);
    const content = await this.load();
    if (mine === this.asked) this.put(h("div", null, content));
  }

  /** @param {HTMLElement} content */
  put(content) {
    const aside = this.element.querySelector(".table")?.scrollLeft ?? 0;
    replace(this.element, content);
    const again = this.element.querySelector(".table");
    if (again) again.scrollLeft = aside;
  }
}
