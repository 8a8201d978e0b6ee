/** Remembers one wake-up, so that none that comes between a look and a wait is lost. */
export interface WakeUp {
  wake(): void;
  /** Resolves at the next wake-up (one that was remembered counts), after `timeoutMs`, or when the signal aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export function createWakeUp(): WakeUp {
  let remembered = false;
  let waiter: (() => void) | undefined;

  function wake(): void {
    remembered = true;
    waiter?.();
  }

  async function wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!remembered && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiter = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      const onAbort = (): void => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      waiter = undefined;
    }
    remembered = false;
  }

  return { wake, wait };
}
