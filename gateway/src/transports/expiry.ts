/** Longest delay of a Node timer, 24.8 days: a timer with a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Timer for one moment, which can be moved and may lie further ahead than Node's limit. */
export class Expiry {
  readonly #onExpired: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onExpired: () => void) {
    this.#onExpired = onExpired;
  }

  /** @param atMs milliseconds since the epoch, in place of the time set before; `Infinity`: never. */
  set(atMs: number): void {
    clearTimeout(this.#timer);
    if (atMs === Infinity) return;
    const waitMs = Math.max(0, atMs - Date.now());
    this.#timer = setTimeout(
      () => (waitMs > MAX_TIMER_MS ? this.set(atMs) : this.#onExpired()),
      Math.min(waitMs, MAX_TIMER_MS),
    );
  }

  /** Cancels the call. Idempotent. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
