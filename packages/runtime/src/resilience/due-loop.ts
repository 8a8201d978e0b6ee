import { WakeUp } from './wake-up.ts';

export interface DueLoop {
  /** Starts the next pass now, because new work may be due. */
  wake(): void;
  /** Resolves when the pass in progress has ended; no pass follows it. Idempotent. */
  stop(): Promise<void>;
}

export interface DueLoopOptions {
  /** Does all due work. Resolves with the due time of the next work in epoch milliseconds, or undefined for none. */
  readonly pass: () => Promise<number | undefined>;
  /** Current time in epoch milliseconds. */
  readonly clock: () => number;
  /**
   * Longest time between two passes in milliseconds. It finds work of a process that crashed before it woke this one,
   * and work whose wake-up was lost. Default 2,000.
   */
  readonly pollMs?: number;
  /** Called with the error of a failed pass. The next pass follows after 500 ms. */
  readonly onFailure: (error: unknown) => void;
}

const AFTER_FAILURE_MS = 500;

/** Overdue work that remains after a pass belongs to another process; an immediate next pass would spin. */
const BETWEEN_PASSES_MS = 5;

/** Runs `pass` at once, at each wake-up, and at the due time that the last pass returned. Passes never overlap. */
export function startDueLoop(options: DueLoopOptions): DueLoop {
  return new WakeableLoop(options);
}

class WakeableLoop implements DueLoop {
  readonly #options: DueLoopOptions;
  readonly #wakeUp = new WakeUp();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: DueLoopOptions) {
    this.#options = options;
    this.#running = this.#run(this.#stopping.signal);
  }

  wake(): void {
    this.#wakeUp.wake();
  }

  stop(): Promise<void> {
    this.#stopping.abort();
    return this.#running;
  }

  async #run(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const waitMs = await this.#pass();
      await this.#wakeUp.wait(waitMs, stopping);
    }
  }

  /** Resolves with the milliseconds until the next pass. */
  async #pass(): Promise<number> {
    const { pass, clock, pollMs = 2_000, onFailure } = this.#options;
    try {
      const dueAt = await pass();
      return dueAt === undefined ? pollMs : Math.min(Math.max(dueAt - clock(), BETWEEN_PASSES_MS), pollMs);
    } catch (error) {
      onFailure(error);
      return AFTER_FAILURE_MS;
    }
  }
}
