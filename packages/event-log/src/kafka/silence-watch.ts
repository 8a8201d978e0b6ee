/** Calls `onSilence` when no activity was reported for `silenceMs`, and again after each further quarter of it. */
export class SilenceWatch {
  readonly #timer: NodeJS.Timeout;
  #lastActivityMs = performance.now();

  constructor(silenceMs: number, onSilence: (error: Error) => void) {
    this.#timer = setInterval(() => {
      if (performance.now() - this.#lastActivityMs > silenceMs) {
        onSilence(new Error(`No heartbeat for ${silenceMs} ms.`));
      }
    }, silenceMs / 4).unref();
  }

  activity(): void {
    this.#lastActivityMs = performance.now();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
