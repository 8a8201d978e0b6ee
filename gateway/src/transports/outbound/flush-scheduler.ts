import { performance } from 'node:perf_hooks';

/** A buffer that the scheduler flushes. */
export interface Flushable {
  flush(): void;
}

/** Time that the event loop was idle and active so far, in milliseconds. */
export interface LoopTimes {
  readonly idle: number;
  readonly active: number;
}

/** Maximum time that a message waits for others to share its system call. */
const MAX_DELAY_MS = 10;
/** Event loop utilisation above which the process counts as loaded. */
const LOADED = 0.85;
/** Time constant of the moving average: changes that arrive close together by chance are no load. */
const AVERAGE_MS = 200;

/**
 * Decides when connections flush. While the process has time, messages are written at once. Under load messages wait
 * up to 10 ms, so that many leave with one system call: under load the system calls are the main cost.
 */
export class FlushScheduler {
  readonly #times: () => LoopTimes;
  #waiting: Flushable[] = [];
  #scheduled = false;
  #writing = false;
  #turn = 0;
  /** Duration of the last flush. Under load the next flush waits as long, at most `MAX_DELAY_MS`. */
  #tookMs = 0;
  /** Exponential moving average of the event loop utilisation. */
  #utilisation = 0;
  #seen: LoopTimes;

  /** @param times reads the event loop's times. Default: the times of this process. */
  constructor(times: () => LoopTimes = () => performance.eventLoopUtilization()) {
    this.#times = times;
    this.#seen = times();
  }

  /** True when a message is better written at once than queued. The answer is the same for all messages of one turn
   * of the event loop. */
  hasTime(): boolean {
    // Also when some connections were scheduled in this turn: their later messages join, others have their first.
    if (this.#writing) return true;
    if (this.#scheduled) return false;
    if (this.#isLoaded()) return false;
    this.#writing = true;
    const startedAt = this.#seen.active;
    setImmediate(() => {
      this.#writing = false;
      this.#turn += 1;
      this.#tookMs = this.#times().active - startedAt;
    });
    return true;
  }

  /** Number of the turns of the event loop in which `hasTime` was true, without the current one. */
  get turn(): number {
    return this.#turn;
  }

  /** Schedules one call of `flush`. Must not be called again before that call. */
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
      const utilisation = active / spanMs;
      this.#utilisation = utilisation + (this.#utilisation - utilisation) * Math.exp(-spanMs / AVERAGE_MS);
      this.#seen = now;
    }
    return this.#utilisation > LOADED;
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
