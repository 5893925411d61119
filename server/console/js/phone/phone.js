// The phone widget (P24): what the desk shows is what the engine says, read anew after every event that concerns it.

import { exchange, get } from "../api.js";
import { h, replace, select } from "../element.js";
import { attempt, dialog, tell } from "../dialog.js";
import { DIAL } from "../pages/shared/dial.js";
import { names, stream, who } from "../session.js";
import { length, serverNow, setServerTime, ticking } from "../time.js";
import { refusal } from "../problems.js";
import { inLanguage, t } from "../words.js";
import { Audio } from "./audio.js";
import { Bell } from "./bell.js";
import { dialDialog, forceEndDialog, transferDialog } from "./dialogs.js";
import { ownSupervision, supervisionButtons, supervisionOver } from "./supervision.js";

/** @typedef {any} Desk the body of `GET /operators/{operator}/desk` */

/** Keys that work wherever no text is being typed: Alt with a letter. */
const KEYS = /** @type {Record<string, string>} */ ({
  a: "answer", x: "decline", h: "hold", r: "release", t: "transfer", d: "dial", c: "connect-customer", e: "hang-up",
});

export class Phone {
  /** @param {HTMLElement} into @param {number} operator */
  constructor(into, operator) {
    this.into = into;
    this.operator = operator;
    /** @type {Desk | null} */
    this.desk = null;
    this.bell = new Bell();
    this.audio = new Audio(this.path);
    this.audio.addEventListener("change", () => this.desk && this.render());
    this.asking = false;
    this.again = false;
    /** The call whose end-of-call prompt was shown. @type {string | null} */
    this.prompted = null;
    /** How one's own part in another's call ended. @type {string | undefined} */
    this.supervisionEnd = undefined;
    this.unlisten = stream.listen((happened) => this.hear(happened));
    this.keys = (/** @type {KeyboardEvent} */ event) => this.key(event);
    this.gap = () => this.refresh();
    this.dials = (/** @type {Event} */ event) => this.wantsToDial(/** @type {CustomEvent} */ (event).detail);
    document.addEventListener("keydown", this.keys);
    document.addEventListener(DIAL, this.dials);
    stream.addEventListener("gap", this.gap);
    stream.addEventListener("live", this.gap);
  }

  stop() {
    this.unlisten();
    this.bell.stop();
    this.audio.stop();
    document.removeEventListener("keydown", this.keys);
    document.removeEventListener(DIAL, this.dials);
    stream.removeEventListener("gap", this.gap);
    stream.removeEventListener("live", this.gap);
  }

  /** A number was pressed on a page. @param {string} number */
  wantsToDial(number) {
    const { active, detail } = this.button("dial");
    if (active) dialDialog(this, number);
    else tell(detail ?? t("phone.no-dial"), "bad");
  }

  get path() {
    return `/operators/${this.operator}`;
  }

  /** Reads the desk; gives the number of the event that it is as of. */
  async load() {
    const desk = await get(`${this.path}/desk`);
    this.take(desk);
    return desk.as_of;
  }

  /** One question at a time; whatever happened meanwhile is asked for once more. */
  async refresh() {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    try {
      do {
        this.again = false;
        this.take(await get(`${this.path}/desk`));
      } while (this.again);
    } catch {
      // The banner says that the connection is lost; when it is back we read anew.
    } finally {
      this.asking = false;
    }
  }

  /** @param {import("../stream.js").Happened} happened */
  hear(happened) {
    if (happened.event === "floor-changed") return void this.refresh();
    if (happened.event === "chat-line" || happened.action) return;
    if (happened.event === "status-changed" && happened.operator !== this.operator) return;
    const mine = happened.operator === this.operator || happened.from === this.operator || happened.owner === this.operator
      || happened.to?.operator === this.operator || happened.target?.operator === this.operator
      || happened.supervisor === this.operator || (happened.call && happened.call === this.desk?.call?.call)
      || (happened.ticket && happened.ticket === this.desk?.ticket);
    if (happened.event === "supervision-ended" && happened.supervisor === this.operator) this.supervisionEnd = happened.end;
    if (mine) this.refresh();
  }

  /** @param {Desk} desk */
  take(desk) {
    const before = this.desk;
    // An answer that was overtaken by a newer one.
    if (before && desk.as_of < before.as_of) return;
    setServerTime(desk.now_us);
    this.desk = desk;
    for (const service of desk.services) names.services.set(service.service, service.name);
    this.render();
    this.follow(before, desk);
  }

  /** What changes beside the widget: the bell, the page of the ticket, the end-of-call prompt.
   * @param {Desk | null} before @param {Desk} now */
  follow(before, now) {
    // The browser's audio is up from the phone's login to its logout.
    if (now.device === "browser" && now.status !== "logged-out") this.audio.start();
    else if (this.audio.state !== "off") this.audio.stop();
    if (now.offers.length > 0) this.bell.start();
    else this.bell.stop();
    const connected = now.status === "talking" && before?.status !== "talking" && !now.call?.consulted;
    // P41: on connect the screen moves to the ticket. The ticket may come an instant after the call.
    const ticketNew = now.ticket && now.ticket !== before?.ticket && ["talking", "dialing"].includes(now.status);
    if (now.ticket && (connected || ticketNew) && !now.call?.consulted) location.hash = `#/tickets/${number(now.ticket)}`;
    if (before && before.status !== "after-call-work" && now.status === "after-call-work") this.promptEnd();
    if (before?.call?.supervision && !now.call?.supervision) {
      supervisionOver(before.call.supervision, this.supervisionEnd);
      this.supervisionEnd = undefined;
    }
    if (now.status !== "after-call-work") document.querySelector('dialog[data-dialog="end-of-call"]')?.remove();
    if (now.status !== "talking" && now.status !== "holding") {
      for (const open of document.querySelectorAll('dialog[data-dialog="force-end"], dialog[data-dialog="transfer"]')) open.remove();
    }
  }

  /** P38: OK is Ready, Cancel stays in the ticket work. */
  promptEnd() {
    if (document.querySelector("dialog[open]")) return;
    dialog({
      title: t("phone.end-of-call"),
      key: "end-of-call",
      content: [h("p", null, t("phone.end-of-call.text"))],
      actions: [{ text: t("cancel"), name: "stay" }, { text: t("ok"), name: "ready", kind: "primary" }],
      submit: async (_, action) => {
        if (action === "ready") await this.order("POST", "finish-after-call", { to: { status: "ready" } });
      },
    });
  }

  /** @param {string} button */
  button(button) {
    const found = this.desk?.buttons.find((/** @type {any} */ it) => it.button === button);
    return found ? { ...found, detail: found.rule ? refusal(found) : null } : { active: false };
  }

  /** Gives an order; the answer is the desk as it is then.
   * @param {"POST" | "PUT"} method @param {string} what @param {unknown} [body] */
  async order(method, what, body) {
    const { value } = await exchange(method, `${this.path}/${what}`, { body });
    if (value?.as_of !== undefined) this.take(value);
    return value;
  }

  /** @param {"POST" | "PUT"} method @param {string} what @param {unknown} [body] */
  ask(method, what, body) {
    return attempt(() => this.order(method, what, body));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const button = event.altKey && !event.ctrlKey && !event.metaKey ? KEYS[event.key.toLowerCase()] : undefined;
    if (!button) return;
    const found = /** @type {HTMLButtonElement | null} */ (this.into.querySelector(`button[data-key="${button}"]`));
    if (found && !found.disabled) {
      event.preventDefault();
      found.click();
    }
  }

  /** A button of the widget: active, or not with the rule that refuses it.
   * @param {string} name @param {string} text @param {() => unknown} press @param {{kind?: string, asks?: string}} [more] */
  press(name, text, press, more = {}) {
    const { active, detail } = this.button(more.asks ?? name);
    const key = Object.keys(KEYS).find((it) => KEYS[it] === name);
    return h(`button.${more.kind ?? "plain"}`, {
      type: "button", disabled: !active, title: active ? (key ? `Alt+${key.toUpperCase()}` : null) : detail,
      "aria-keyshortcuts": key ? `Alt+${key.toUpperCase()}` : null, data: { key: name }, onclick: press,
    }, text);
  }

  render() {
    const desk = /** @type {Desk} */ (this.desk);
    const ringing = desk.offers.length > 0;
    this.into.classList.toggle("ringing", ringing);
    this.into.dataset.status = desk.status;
    replace(this.into,
      this.head(desk),
      // Of a browser the line below says what is missing.
      desk.device_lost && desk.device !== "browser" && h("p.warning", { role: "alert" }, t("phone.device-lost")),
      this.audioState(desk),
      desk.offers.map((/** @type {any} */ offer) => this.offer(offer)),
      desk.call && !ringing && this.call(desk.call),
      desk.status === "logged-out" ? this.loggedOut() : [this.callButtons(desk), this.statusButtons(desk)],
      this.foot(desk));
  }

  /** @param {Desk} desk */
  head(desk) {
    const reason = desk.reason === 0 ? undefined : names.reasons.get(desk.reason) ?? desk.reasons.find((/** @type {any} */ it) => it.reason === desk.reason);
    return h("div.now", null,
      h("span.status", { data: { status: desk.status, key: "status" }, "aria-live": "polite" }, t(`status.${desk.status}`)),
      reason && h("span.reason", null, inLanguage(reason)),
      desk.status !== "logged-out" && ticking({ since: desk.since_us }));
  }

  /** Whether one's own browser is heard and hears. @param {Desk} desk */
  audioState(desk) {
    if (desk.device !== "browser" || desk.status === "logged-out") return null;
    const { state, detail, muted } = this.audio;
    if (state !== "connected") {
      return h("p.warning", { role: "alert", title: detail, data: { audio: state } }, t(`audio.${state}`));
    }
    return h("p.audio", { data: { audio: state } }, h("span.tag", null, t("audio.connected")),
      h("button.quiet", { type: "button", "aria-pressed": String(muted), data: { key: "mute" }, onclick: () => this.audio.mute(!muted) },
        t(muted ? "audio.unmute" : "audio.mute")));
  }

  loggedOut() {
    return h("div.buttons", null, this.press("login", t("phone.login"), () => this.ask("POST", "login"), { kind: "primary" }));
  }

  /** P24: what rings, for whom, how long it waited and how long there is to answer.
   * @param {any} offer */
  offer(offer) {
    const desk = /** @type {Desk} */ (this.desk);
    const kind = Object.keys(offer.work)[0];
    const consult = kind === "call" && offer.queue === null;
    const call = kind === "call" ? desk.call : null;
    const word = consult ? "consult" : kind;
    const answer = { offer: offer.offer };
    const title = kind === "call" && !consult ? t("phone.incoming") : t(`phone.incoming.${word}`);
    const all = offer.until_us - offer.made_us;
    const left = Math.max(0, offer.until_us - serverNow());
    const bar = h("div.countdown", { role: "presentation" });
    bar.style.setProperty("--left", `${Math.min(1, left / all)}`);
    bar.style.setProperty("--for", `${Math.round(left / 1000)}ms`);
    return h("section.offer", { "aria-label": title, data: { offer: offer.offer } },
      h("h2", null, title),
      call && this.customer(call),
      offer.queue !== null && h("p.from", null, `${t("phone.queue")}: ${names.queue(offer.queue)}`,
        call?.queued_us ? ` · ${t("phone.waited")} ${length(serverNow() - call.queued_us)}` : ""),
      bar,
      h("p.left", null, ticking({ until: offer.until_us }), ` ${t("phone.rings-for")}`),
      h("div.buttons", null,
        this.press("answer", t("phone.answer"), () => this.ask("POST", "answer", answer), { kind: "primary" }),
        this.press("decline", t("phone.decline"), () => this.ask("POST", "decline", answer))));
  }

  /** @param {any} call */
  customer(call) {
    const customer = h("p.customer", null, h("strong", null, call.number ?? t("phone.no-number")));
    if (call.customer !== null && call.customer !== undefined) {
      get(`/customers/${call.customer}`).then((found) => {
        if (found.name) customer.prepend(h("a", { href: `#/customers/${call.customer}` }, found.name), " ");
      }).catch(() => {});
    }
    return customer;
  }

  /** @param {any} call */
  call(call) {
    return h("section.call", { "aria-label": t(`place.${call.place}`) },
      call.consulted && h("p.note", null, t("phone.consulted-by")),
      call.supervision && ownSupervision(call.supervision),
      this.customer(call),
      h("p.from", null, h("span.place", null, t(`place.${call.place}`)), " · ", names.service(call.service),
        call.queue !== null && call.queue !== undefined ? ` · ${names.queue(call.queue)}` : ""),
      call.target && h("p.target", null, `${t("phone.target")}: ${partyWords(call.target.party)} `,
        h("span.tag", null, t(call.target.answered ? "phone.target.answered" : "phone.target.rings"))));
  }

  /** Only what can be done now, in the order of the desk. @param {Desk} desk */
  callButtons(desk) {
    const ask = (/** @type {string} */ what) => () => this.ask("POST", what);
    const busy = ["talking", "holding", "consulting", "dialing"].includes(desk.status);
    if (!busy) {
      return h("div.buttons", null,
        this.press("dial", t("phone.dial"), () => dialDialog(this)),
        desk.status === "after-call-work" && this.press("finish-after-call", t("phone.finish"),
          () => this.ask("POST", "finish-after-call", {}), { kind: "primary" }));
    }
    // A call that is only supervised is another's: what can be done in it is that alone.
    const supervision = desk.call?.supervision;
    if (supervision) {
      return h("div.buttons", null, supervisionButtons({ ...desk.call, operator: null, supervisor: supervision }, () => this.refresh()));
    }
    const consulting = Boolean(desk.call?.target);
    return h("div.buttons", null,
      desk.status === "holding" || desk.status === "consulting"
        ? this.press("release", t("phone.release"), ask("release"))
        : this.press("hold", t("phone.hold"), ask("hold")),
      !consulting && this.press("transfer", t("phone.transfer"), () => transferDialog(this), { asks: "consult" }),
      consulting && this.press("connect-customer", t("phone.connect-customer"), ask("connect-customer"), { kind: "primary" }),
      consulting && this.press("cancel-consult", t("phone.cancel-consult"), ask("cancel-consult")),
      consulting && this.press("conference", t("phone.conference"), ask("conference")),
      this.press("force-end", t("phone.force-end"), () => forceEndDialog(this), { kind: "danger" }),
      this.press("hang-up", t("phone.hang-up"), ask("hang-up"), { kind: "danger" }));
  }

  /** P26. @param {Desk} desk */
  statusButtons(desk) {
    const { active, detail } = this.button("status");
    const one = (/** @type {"work" | "ready" | "break"} */ status) => {
      const reasons = desk.reasons.filter((/** @type {any} */ it) => it.of === status);
      const current = desk.status === status;
      const choose = (/** @type {number | undefined} */ reason) =>
        this.ask("PUT", "status", status === "ready" ? { status } : { status, reason: reason ?? 0 });
      const button = h("button.state", {
        type: "button", disabled: !active, title: detail, "aria-pressed": String(current), data: { key: `status-${status}`, status },
        onclick: () => choose(undefined),
      }, t(`status.${status}`));
      if (status === "ready" || reasons.length === 0) return button;
      const menu = select({ "aria-label": `${t(`status.${status}`)}: ${t("phone.reason")}`, disabled: !active, data: { key: `reason-${status}` },
        onchange: (/** @type {Event} */ event) => choose(Number(/** @type {HTMLSelectElement} */ (event.target).value)) },
      [[0, t("phone.no-reason")], ...reasons.map((/** @type {any} */ it) => /** @type {[number, string]} */ ([it.reason, inLanguage(it)]))],
      current ? desk.reason : 0);
      return h("span.with-reason", null, button, menu);
    };
    return h("div.states", { role: "group", "aria-label": t("phone") }, one("work"), one("ready"), one("break"));
  }

  /** @param {Desk} desk */
  foot(desk) {
    const next = this.button("next-status");
    const status = desk.next?.status ?? "";
    const chat = desk.chat_status === "available";
    return h("div.foot", null,
      next.active && h("label", null, t("phone.next-status"), " ",
        select({ data: { key: "next-status" }, onchange: (/** @type {Event} */ event) => {
          const chosen = /** @type {HTMLSelectElement} */ (event.target).value;
          const choice = chosen === "" ? null : chosen === "ready" ? { status: chosen } : { status: chosen, reason: 0 };
          this.ask("PUT", "next-status", { next: choice });
        } },
        [["", t("phone.next-status.none")], ["ready", t("status.ready")], ["work", t("status.work")], ["break", t("status.break")]], status)),
      h("button.state", { type: "button", "aria-pressed": String(chat), data: { key: "chat-status", status: chat ? "ready" : "work" },
        onclick: () => this.ask("PUT", "chat-status", { status: chat ? "away" : "available" }) }, t(`chat-status.${desk.chat_status}`)),
      h("p.small", null, desk.name, desk.cti_number ? ` · ${t("phone.extension")} ${desk.cti_number}` : "",
        ` · ${t("phone.calls-today")}: ${desk.calls_answered}`),
      desk.status !== "logged-out" && this.press("logout", t("phone.logout"), () => this.ask("POST", "logout"), { kind: "quiet" }));
  }
}

/** The number of a ticket whose reference in the engine is NUMBER-SLOT. @param {string} reference */
export function number(reference) {
  return reference.split("-")[0];
}

/** @param {any} party */
export function partyWords(party) {
  if (party.operator !== undefined) return names.operator(party.operator);
  if (party.queue !== undefined) return names.queue(party.queue);
  return party.number ?? "";
}

/** Whether this console is an operator's own. @param {number} operator */
export function isMe(operator) {
  return who().operator === operator;
}
