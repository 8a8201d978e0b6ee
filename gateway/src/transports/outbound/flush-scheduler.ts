/** Something with bytes to write. */
export interface Flushable {
  flush(): void;
}

/** The longest that a message waits for others to share its system call. */
const MAX_DELAY_MS = 10;
/** The share of the time that writing takes from which on the process counts as loaded. */
const LOADED = 0.75;
/** Over about how long that share is taken: changes that come close together by chance are no load. */
const MEMORY_MS = 100;

/**
 * Decides when connections write what they have to say. While the process has time they write at once; when writing
 * took more than three quarters of the time lately, messages wait up to 10 ms, so that many leave with one system call.
 * Under load it is system calls that cost.
 */
export class FlushScheduler {
  readonly #now: () => number;
  #waiting: Flushable[] = [];
  #scheduled = false;
  #writing = false;
  #endedAt = 0;
  #tookMs = 0;
  /** Which share of the time writing took, when it ended last: older time counts exponentially less. */
  #busy = 0;

  /** @param now a clock that never goes back, milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether what comes now is better written at once than added: the same answer for all that one event brings. */
  hasTime(): boolean {
    if (this.#scheduled) return false;
    if (this.#writing) return true;
    const startedAt = this.#now();
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
    if (this.#loaded(this.#now())) setTimeout(this.#run, Math.min(MAX_DELAY_MS, this.#tookMs));
    else setImmediate(this.#run);
  }

  #loaded(now: number): boolean {
    return this.#busyAt(now) > LOADED;
  }

  /** At the end of a pause. */
  #busyAt(now: number): number {
    return this.#busy * Math.exp((this.#endedAt - now) / MEMORY_MS);
  }

  #ended(startedAt: number): void {
    const before = this.#busyAt(startedAt);
    this.#endedAt = this.#now();
    this.#tookMs = this.#endedAt - startedAt;
    this.#busy = 1 - (1 - before) * Math.exp(-this.#tookMs / MEMORY_MS);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    const startedAt = this.#now();
    for (const flushable of batch) flushable.flush();
    this.#ended(startedAt);
  };
}
