/** Something with bytes to write. */
export interface Flushable {
  flush(): void;
}

/** The longest that a message waits for others to share its system call. */
const MAX_DELAY_MS = 10;
/** The part of a pause that writing took before it from which on the process counts as loaded. */
const LOADED = 2;

/**
 * Decides when connections write what they have to say. While the process has time they write at once; when the last
 * writes took longer than twice the pause after them, messages wait up to 10 ms, so that many leave with one system
 * call. Under load it is system calls that cost.
 */
export class FlushScheduler {
  #waiting: Flushable[] = [];
  #scheduled = false;
  #writing = false;
  #endedAt = 0;
  #tookMs = 0;

  /** Whether what comes now is better written at once than added: the same answer for all that one event brings. */
  hasTime(): boolean {
    if (this.#scheduled) return false;
    if (this.#writing) return true;
    const startedAt = performance.now();
    if (this.#loaded(startedAt)) return false;
    this.#writing = true;
    setImmediate(() => {
      this.#writing = false;
      this.#ended(startedAt);
    });
    return true;
  }

  /** The connection has something to write. Called once until its `flush` was called. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#loaded(performance.now())) setTimeout(this.#run, Math.min(MAX_DELAY_MS, this.#tookMs));
    else setImmediate(this.#run);
  }

  #loaded(now: number): boolean {
    return (now - this.#endedAt) * LOADED < this.#tookMs;
  }

  #ended(startedAt: number): void {
    this.#endedAt = performance.now();
    this.#tookMs = this.#endedAt - startedAt;
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    const startedAt = performance.now();
    for (const flushable of batch) flushable.flush();
    this.#ended(startedAt);
  };
}
