export interface DueLoop {
  /** Something may have become due: look now. */
  wake(): void;
  /** Resolves when the pass under way has ended; there is none after it. Idempotent. */
  stop(): Promise<void>;
}

export interface DueLoopOptions {
  /** Resolves with the epoch ms of the next work that is not done yet, or undefined when nobody knows of any. */
  readonly pass: () => Promise<number | undefined>;
  readonly clock: () => number;
  /**
   * Longest time between two passes: work may come from a process that died before it told anyone, and wake-ups may
   * be lost. Default 2,000.
   */
  readonly pollMs?: number;
  /** Called with what a pass rejected with; the next one comes all the same. */
  readonly onFailure: (error: unknown) => void;
}

const AFTER_FAILURE_MS = 500;

/** What is overdue and still there is in another process's hands: looking again at once would only spin. */
const BETWEEN_PASSES_MS = 5;

/** Calls `pass` at once, whenever woken and when the time comes that the last pass named. Passes never overlap. */
export function startDueLoop(options: DueLoopOptions): DueLoop {
  const { pass, clock, pollMs = 2_000, onFailure } = options;
  let stopped = false;
  let woken = false;
  let endWait: (() => void) | undefined;

  const wake = (): void => {
    woken = true;
    endWait?.();
  };

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => endWait?.(), ms);
      endWait = () => {
        clearTimeout(timer);
        endWait = undefined;
        resolve();
      };
    });
  }

  async function waitMs(): Promise<number> {
    try {
      const dueAt = await pass();
      return dueAt === undefined ? pollMs : Math.min(Math.max(dueAt - clock(), BETWEEN_PASSES_MS), pollMs);
    } catch (error) {
      onFailure(error);
      return AFTER_FAILURE_MS;
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false;
      const ms = await waitMs();
      if (!stopped && !woken) await wait(ms);
    }
  }

  const running = run();
  return {
    wake,
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
