/** Default work in milliseconds between two turns of the event loop. */
const SLICE_MS = 5;

export interface WorkTurnsOptions {
  /** Work of all holders together in milliseconds between two turns of the event loop. Default 5. */
  readonly sliceMs?: number;
  /** Monotonic clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Divides long work into slices, so that the event loop turns between them. All work that shares one instance takes at
 * most `sliceMs`, and one unit more, between two turns, however many holders there are. Waiting holders take turns in
 * the order of their calls.
 *
 * @example
 * ```ts
 * import { WorkTurns } from '@tidegate/runtime/resilience';
 *
 * const turns = new WorkTurns();
 * for (const record of ['a', 'b', 'c']) {
 *   await turns.next();
 *   JSON.stringify(record);
 * }
 * ```
 */
export class WorkTurns {
  readonly #sliceMs: number;
  readonly #now: () => number;
  readonly #waiting: (() => void)[] = [];
  #sliceEndsAtMs = -Infinity;
  #isScheduled = false;

  constructor({ sliceMs = SLICE_MS, now = () => performance.now() }: WorkTurnsOptions = {}) {
    this.#sliceMs = sliceMs;
    this.#now = now;
  }

  /** Called before each unit of work. Undefined while the slice lasts; otherwise resolves in the caller's next turn. */
  next(): Promise<void> | undefined {
    if (this.#now() < this.#sliceEndsAtMs) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    // An immediate that is set by an immediate runs after the loop has looked for input.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sliceEndsAtMs = this.#now() + this.#sliceMs;
      this.#waiting.shift()?.();
      this.#schedule();
    });
  }
}
