import type { Logger } from '@tidegate/telemetry';

export interface WakeLoop {
  /** There may be something to do: look now. */
  wake(): void;
  /** Resolves when the pass under way has ended; there is none after it. Idempotent. */
  stop(): Promise<void>;
}

const AFTER_FAILURE_MS = 500;

/**
 * Calls `pass` at once, whenever woken, and when the time has passed that the last pass asked for (at most `pollMs`:
 * wake-ups may be lost). Passes never overlap.
 */
export function startWakeLoop(options: {
  readonly pass: () => Promise<number | undefined>;
  readonly pollMs: number;
  readonly logger: Logger;
}): WakeLoop {
  const { pass, pollMs, logger } = options;
  let stopped = false;
  let woken = false;
  let endWait: (() => void) | undefined;

  function wake(): void {
    woken = true;
    endWait?.();
  }

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

  async function passOnce(): Promise<number> {
    try {
      return Math.min(Math.max((await pass()) ?? pollMs, 1), pollMs);
    } catch (error) {
      logger.warn({ err: error }, 'looking for due deliveries failed; trying again');
      return AFTER_FAILURE_MS;
    }
  }

  async function run(): Promise<void> {
    while (!stopped) {
      woken = false;
      const ms = await passOnce();
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
