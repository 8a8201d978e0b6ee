/** Something with bytes to write. */
export interface Flushable {
  flush(): void;
}

/** The longest that a message waits for others to share its system call. */
const MAX_DELAY_MS = 10;

/**
 * Decides when connections write what they have queued. While the process has time a flush follows at once (after
 * the event that filled the queues); when the last flush took as long as the pause before it, messages wait up to
 * 10 ms, so that many leave with one system call. Under load it is system calls that cost.
 */
export class FlushScheduler {
  #waiting: Flushable[] = [];
  #scheduled = false;
  #endedAt = 0;
  #tookMs = 0;

  /** The connection has something to write. Called once until its `flush` was called. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#scheduled) return;
    this.#scheduled = true;
    const idleMs = performance.now() - this.#endedAt;
    if (idleMs >= this.#tookMs) setImmediate(this.#run);
    else setTimeout(this.#run, Math.min(MAX_DELAY_MS, this.#tookMs));
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    const startedAt = performance.now();
    for (const flushable of batch) flushable.flush();
    this.#endedAt = performance.now();
    this.#tookMs = this.#endedAt - startedAt;
  };
}
