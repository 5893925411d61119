// The ring: two tones of a telephone's bell, made here, so that nothing is loaded.

export class Bell {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
    /** @type {ReturnType<typeof setInterval> | null} */
    this.timer = null;
  }

  get rings() {
    return this.timer !== null;
  }

  start() {
    if (this.timer !== null) return;
    this.context ??= new AudioContext();
    // A browser lets a page sound only after it was touched; signing in is a touch.
    this.context.resume().catch(() => {});
    this.burst();
    this.timer = setInterval(() => this.burst(), 2_000);
  }

  stop() {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.context?.suspend().catch(() => {});
  }

  /** One second of 440 and 480 Hz (ITU-T E.180, North America's ringing tone), softly. */
  burst() {
    const context = /** @type {AudioContext} */ (this.context);
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.gain.linearRampToValueAtTime(0.12, context.currentTime + 0.02);
    gain.gain.setValueAtTime(0.12, context.currentTime + 0.95);
    gain.gain.linearRampToValueAtTime(0, context.currentTime + 1);
    gain.connect(context.destination);
    for (const frequency of [440, 480]) {
      const tone = context.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(gain);
      tone.start();
      tone.stop(context.currentTime + 1);
    }
  }
}
