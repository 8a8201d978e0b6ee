/** A wake-up for one waiter. It is kept until the next `wait`, so none is lost between a look and a wait. */
export class WakeUp {
  #pending = false;
  #resolveWait: (() => void) | undefined;

  /** Ends the current `wait`, or the next one. */
  wake(): void {
    this.#pending = true;
    this.#resolveWait?.();
  }

  /** Resolves at a wake-up (at once when one is pending), after `timeoutMs` milliseconds, or when the signal aborts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolveWait = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      const onAbort = (): void => resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#resolveWait = undefined;
    }
    this.#pending = false;
  }
}
