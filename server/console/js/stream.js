// The server's events: ordered, each once, resumed where the connection was lost.

/** Closed by the server for good: sign in again. */
const SIGNED_OUT = 4401;
/** What we asked for is no longer kept: the state is read anew. */
const TOO_OLD = 4410;
const LONGEST_PAUSE = 10_000;

/**
 * @typedef {{event?: string, action?: string, number?: number, [field: string]: any}} Happened
 */

export class Stream extends EventTarget {
  constructor() {
    super();
    /** @type {WebSocket | null} */
    this.socket = null;
    /** Number of the last event that was seen. @type {number | null} */
    this.last = null;
    this.live = false;
    this.stopped = true;
    this.pause = 500;
    /** @type {Set<(happened: Happened) => void>} */
    this.listeners = new Set();
  }

  /**
   * Begins with what follows event `after`.
   * @param {number | null} after
   */
  start(after) {
    this.stopped = false;
    this.last = after;
    this.open();
  }

  stop() {
    this.stopped = true;
    this.socket?.close();
    this.socket = null;
    this.setLive(false);
  }

  /**
   * Hears every event until the returned function is called.
   * @param {(happened: Happened) => void} listener
   */
  listen(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param {boolean} live */
  setLive(live) {
    if (this.live === live) return;
    this.live = live;
    this.dispatchEvent(new Event(live ? "live" : "lost"));
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const after = this.last === null ? "" : `?after=${this.last}`;
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/events${after}`);
    this.socket = socket;
    socket.onmessage = (message) => this.hear(JSON.parse(message.data));
    socket.onclose = (closed) => {
      if (socket !== this.socket || this.stopped) return;
      this.setLive(false);
      if (closed.code === SIGNED_OUT) {
        this.stop();
        this.dispatchEvent(new Event("signed-out"));
        return;
      }
      if (closed.code === TOO_OLD) {
        this.last = null;
        this.dispatchEvent(new Event("gap"));
      }
      // Not all at once after the server's restart.
      setTimeout(() => !this.stopped && socket === this.socket && this.open(), this.pause * (0.5 + Math.random()));
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    };
  }

  /** @param {Happened} happened */
  hear(happened) {
    if (happened.event === "hello") {
      this.pause = 500;
      this.last ??= happened.newest;
      this.setLive(true);
      return;
    }
    if (happened.event === "too-old") return;
    if (typeof happened.number === "number") this.last = happened.number;
    for (const listener of this.listeners) listener(happened);
  }
}
