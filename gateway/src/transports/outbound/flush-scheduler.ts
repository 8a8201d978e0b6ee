import { performance } from 'node:perf_hooks';

/** Something with bytes to write. */
export interface Flushable {
  flush(): void;
}

/** How long the event loop has waited for something to do, and how long it has worked, milliseconds. */
export interface LoopTimes {
  readonly idle: number;
  readonly active: number;
}

/** The longest that a message waits for others to share its system call. */
const MAX_DELAY_MS = 10;
/** The share of the time that the event loop works from which on the process counts as loaded. */
const LOADED = 0.85;
/** Over about how long that share is taken: changes that come close together by chance are no load. */
const MEMORY_MS = 200;

/**
 * Decides when connections write what they have to say. While the process has time they write at once; when its event
 * loop had something to do nearly all of the time lately, messages wait up to 10 ms, so that many leave
 * with one system call. Under load it is system calls that cost.
 */
export class FlushScheduler {
  readonly #times: () => LoopTimes;
  #waiting: Flushable[] = [];
  #scheduled = false;
  #writing = false;
  /** How long the last writing took, which is also how long the next waits for more. */
  #tookMs = 0;
  /** Which share of the time the loop worked: older time counts exponentially less. */
  #busy = 0;
  #seen: LoopTimes;

  constructor(times: () => LoopTimes = () => performance.eventLoopUtilization()) {
    this.#times = times;
    this.#seen = times();
  }

  /** Whether what comes now is better written at once than added: the same answer for all that one event brings. */
  hasTime(): boolean {
    if (this.#scheduled) return false;
    if (this.#writing) return true;
    if (this.#isLoaded()) return false;
    this.#writing = true;
    const startedAt = this.#seen.active;
    setImmediate(() => {
      this.#writing = false;
      this.#tookMs = this.#times().active - startedAt;
    });
    return true;
  }

  /** The connection has something to write. Called once until its `flush` was called. */
  add(flushable: Flushable): void {
    this.#waiting.push(flushable);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#isLoaded()) setTimeout(this.#run, Math.min(MAX_DELAY_MS, this.#tookMs));
    else setImmediate(this.#run);
  }

  #isLoaded(): boolean {
    const now = this.#times();
    const active = now.active - this.#seen.active;
    const spanMs = active + now.idle - this.#seen.idle;
    if (spanMs > 0) {
      const share = active / spanMs;
      this.#busy = share + (this.#busy - share) * Math.exp(-spanMs / MEMORY_MS);
      this.#seen = now;
    }
    return this.#busy > LOADED;
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    const startedAt = this.#times().active;
    for (const flushable of batch) flushable.flush();
    this.#tookMs = this.#times().active - startedAt;
  };
}
