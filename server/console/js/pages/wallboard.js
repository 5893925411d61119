// The wallboard: queues, people and calls as they are now, for a supervisor's desk and for a screen on the wall.

import { get, Refused } from "../api.js";
import { h, replace, select } from "../element.js";
import { show } from "../dialog.js";
import { names, stream } from "../session.js";
import { setServerTime } from "../time.js";
import { addWords, t } from "../words.js";
import { follow } from "./shared/live.js";
import { callsTable } from "./wallboard/calls.js";
import { contactsTable } from "./wallboard/contacts.js";
import { People } from "./wallboard/people.js";
import { queueCards } from "./wallboard/queues.js";

addWords({
  "wallboard.service": ["Service", "サービス"],
  "wallboard.full-screen": ["Full screen", "全画面"],
  "wallboard.queues": ["Queues", "キュー"],
  "wallboard.operators": ["Operators", "オペレーター"],
  "wallboard.calls": ["Calls in progress", "進行中の通話"],
  "wallboard.contacts": ["Chats and callbacks", "チャットとコールバック"],
});

/** Most that `GET /calls` and its like give. */
const MOST = 1_000;
const PEOPLE_PAGE = 200;
/** The service that is looked at, for as long as the console is open. @type {number | null} */
let looked = null;

/** Events that change queues, calls, chats or callbacks. @param {import("../stream.js").Happened} happened */
const moves = ({ event }) => Boolean(event) && !/^(chat-line|chat-status|after-call|ticket-changed|ticket-created)/.test(/** @type {string} */ (event));
/** Events that change what was counted today. @param {import("../stream.js").Happened} happened */
const counts = ({ event }) => ["call-answered", "call-ended", "call-flowed-out", "chat-answered", "chat-ended", "ticket-assigned"].includes(event ?? "");

/** @type {import("../main.js").Page} */
export const wallboardPage = {
  key: "wallboard",
  roles: ["supervisor"],
  open(into) {
    const page = h("div.wallboard");
    replace(into, page);
    /** @type {Board | undefined} */
    let board;
    let left = false;
    show(page, async () => {
      const made = new Board(page);
      await made.load();
      if (left) made.stop();
      board = made;
      return made.content();
    });
    return () => {
      left = true;
      board?.stop();
    };
  },
};

class Board {
  /** @param {Element} page */
  constructor(page) {
    this.page = page;
    this.queues = h("div.queues");
    this.calls = h("div");
    this.contacts = h("div");
    this.people = new People();
    /** @type {any[]} */ this.targets = [];
    /** Today's statistics by queue. @type {Map<number, any>} */ this.today = new Map();
    /** @type {{queues: any[], calls: any[], chats: any[], callbacks: any[]}} */
    this.now = { queues: [], calls: [], chats: [], callbacks: [] };
    this.stopping = [
      stream.listen((happened) => this.people.hear(happened)),
      follow(moves, () => this.read(), 30_000),
      follow(counts, () => this.count(), 60_000),
    ];
    this.anew = () => this.readPeople().catch(() => {});
    stream.addEventListener("gap", this.anew);
    stream.addEventListener("live", this.anew);
  }

  stop() {
    for (const stop of this.stopping) stop();
    stream.removeEventListener("gap", this.anew);
    stream.removeEventListener("live", this.anew);
  }

  async load() {
    const [floor, reasons] = await Promise.all([get("/floor"), get("/floor/reasons")]);
    this.targets = floor.queues.map((/** @type {any} */ it) => it.target);
    this.people.reasons = reasons;
    if (floor.operators.length > 0) setServerTime((await get("/operators/0/desk")).now_us);
    await Promise.all([this.readPeople(), this.count().catch((problem) => {
      if (!(problem instanceof Refused)) throw problem;
    })]);
    await this.read();
  }

  content() {
    const services = [...names.services];
    const section = (/** @type {string} */ key, /** @type {Element} */ content) =>
      h("section", { data: { board: key } }, h("h2", null, t(`wallboard.${key}`)), content);
    return [
      h("div.heading", null, h("h1", null, t("page.wallboard")),
        services.length > 1 && select({
          "aria-label": t("wallboard.service"), data: { key: "service" }, onchange: (/** @type {Event} */ event) => {
            const { value } = /** @type {HTMLSelectElement} */ (event.target);
            looked = value === "" ? null : Number(value);
            this.render();
          },
        }, [["", t("all")], ...services], looked ?? ""),
        document.fullscreenEnabled && h("button.quiet", { type: "button", data: { action: "full-screen" }, onclick: () => {
          if (document.fullscreenElement) document.exitFullscreen();
          else this.page.closest("main")?.requestFullscreen();
        } }, t("wallboard.full-screen"))),
      section("queues", this.queues), section("operators", this.people.element), section("calls", this.calls), section("contacts", this.contacts),
    ];
  }

  /** Queues, calls, chats and callbacks. */
  async read() {
    const [queues, calls, chats, callbacks] = await Promise.all([
      get("/queues"), get("/calls", { limit: MOST }), get("/chats", { live: true, limit: 200 }), get("/callbacks", { live: true, limit: 200 }),
    ]);
    this.now = { queues, calls, chats, callbacks };
    this.render();
  }

  async readPeople() {
    /** @type {any[]} */
    const all = [];
    for (let after; ;) {
      /** @type {any[]} */
      const page = await get("/operators", { limit: PEOPLE_PAGE, after });
      all.push(...page);
      if (page.length < PEOPLE_PAGE) break;
      after = page[page.length - 1].operator;
    }
    this.people.take(all);
  }

  /** What was counted since midnight in the first service's time zone. */
  async count() {
    const { rows } = await get("/statistics/queues", { every: "all" });
    this.today = new Map(rows.filter((/** @type {any} */ row) => row.queue !== null).map((/** @type {any} */ row) => [row.queue, row]));
    this.render();
  }

  render() {
    const ours = (/** @type {{service: number}} */ it) => looked === null || it.service === looked;
    const { queues, calls, chats, callbacks } = this.now;
    replace(this.queues, queueCards(queues.filter(ours), this.today, this.targets));
    this.people.only(looked);
    replace(this.calls, callsTable(calls.filter(ours), () => this.read()));
    replace(this.contacts, contactsTable(chats.filter(ours), callbacks.filter(ours), () => this.read()));
  }
}
