// The operator's voice: one WebRTC connection for as long as the console is open, so that an answer costs no set-up.

import { post } from "../api.js";

/** How long one waits for candidates: on one's own network they are there at once. */
const GATHERING = 1_500;
const LONGEST_PAUSE = 10_000;

export class Audio extends EventTarget {
  /** @param {string} path the operator's path in the API */
  constructor(path) {
    super();
    this.path = path;
    /** @type {RTCPeerConnection | null} */
    this.connection = null;
    /** @type {MediaStream | null} */
    this.microphone = null;
    this.speaker = document.createElement("audio");
    this.speaker.autoplay = true;
    /** "off", "connecting", "connected", or why it is not. */
    this.state = "off";
    /** What the browser or the server says of it. */
    this.detail = "";
    this.pause = 500;
    // A page that goes says so: the server need not find out.
    addEventListener("pagehide", () => this.connection?.close());
  }

  /** @param {string} state @param {string} [detail] */
  become(state, detail = "") {
    if (this.state === state && this.detail === detail) return;
    this.state = state;
    this.detail = detail;
    this.dispatchEvent(new Event("change"));
  }

  start() {
    if (this.state !== "off") return;
    document.body.append(this.speaker);
    this.become("connecting");
    this.connect();
  }

  stop() {
    this.become("off");
    this.connection?.close();
    this.connection = null;
    for (const track of this.microphone?.getTracks() ?? []) track.stop();
    this.microphone = null;
    this.speaker.remove();
  }

  async connect() {
    try {
      // A page that came by plain HTTP from another machine has no microphone at all.
      if (!navigator.mediaDevices) throw new Error("insecure");
      this.microphone ??= await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (problem) {
      return this.become(/** @type {Error} */ (problem).message === "insecure" ? "insecure" : "no-microphone", String(problem));
    }
    if (this.state === "off") return this.stop();
    const connection = new RTCPeerConnection();
    this.connection = connection;
    connection.ontrack = (event) => { this.speaker.srcObject = event.streams[0] ?? new MediaStream([event.track]); };
    connection.onconnectionstatechange = () => {
      if (connection !== this.connection) return;
      if (connection.connectionState === "connected") {
        this.pause = 500;
        this.become("connected");
      }
      if (connection.connectionState === "failed" || connection.connectionState === "disconnected") this.again("");
    };
    for (const track of this.microphone.getTracks()) connection.addTrack(track, this.microphone);
    try {
      await connection.setLocalDescription(await connection.createOffer());
      await gathered(connection);
      const { sdp } = await post(`${this.path}/audio`, { sdp: connection.localDescription?.sdp });
      await connection.setRemoteDescription({ type: "answer", sdp });
    } catch (problem) {
      if (connection === this.connection) this.again(/** @type {Error} */ (problem).message);
    }
  }

  /** Tries again after a while. @param {string} why */
  again(why) {
    if (this.state === "off") return;
    this.connection?.close();
    this.connection = null;
    this.become("connecting", why);
    setTimeout(() => this.state === "connecting" && this.connection === null && this.connect(), this.pause);
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
  }

  /** @param {boolean} muted */
  mute(muted) {
    for (const track of this.microphone?.getAudioTracks() ?? []) track.enabled = !muted;
    this.dispatchEvent(new Event("change"));
  }

  get muted() {
    const track = this.microphone?.getAudioTracks()[0];
    return Boolean(track && !track.enabled);
  }
}

/** Waits until the browser knows its addresses: they go with the offer. @param {RTCPeerConnection} connection */
function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve(undefined);
  return new Promise((done) => {
    const enough = setTimeout(done, GATHERING);
    connection.addEventListener("icegatheringstatechange", () => {
      if (connection.iceGatheringState !== "complete") return;
      clearTimeout(enough);
      done(undefined);
    });
  });
}
