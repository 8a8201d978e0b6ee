import type { Logger } from '@tidegate/telemetry';

export interface DueLoop {
  /** Something may have become due: look now. */
  wake(): void;
  /** Resolves when the pass that runs is finished; there is none after it. */
  stop(): Promise<void>;
}

/** Work may come from a process that died before it told anyone: look now and then without being woken. */
const SAFETY_NET_MS = 2_000;
const AFTER_FAILURE_MS = 500;

/** What is overdue and still there is in another process's hands: looking again at once would only spin. */
const BETWEEN_PASSES_MS = 5;

/**
 * Calls `pass` once at the start, whenever woken and when the time comes that the last pass named (epoch ms of
 * the next due work; undefined when there is none). Passes never overlap.
 */
export function startDueLoop(options: {
  pass: () => Promise<number | undefined>;
  clock: () => number;
  logger: Logger;
}): DueLoop {
  const { pass, clock, logger } = options;
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
      return dueAt === undefined
        ? SAFETY_NET_MS
        : Math.min(Math.max(dueAt - clock(), BETWEEN_PASSES_MS), SAFETY_NET_MS);
    } catch (error) {
      logger.warn({ err: error }, 'looking for due work failed; trying again');
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
