/**
 * Exponential backoff with full jitter: each delay is uniform between 0 and a ceiling, which prevents a thundering herd.
 */
export interface BackoffOptions {
  /** Ceiling of the first delay in milliseconds; it doubles with each attempt. */
  readonly firstMs: number;
  /** Maximum ceiling in milliseconds. */
  readonly maxMs: number;
}

/** Returns the delay in milliseconds before retry `attempt` (1 is the first). `random` returns 0 to 1, for tests. */
export function backoffMs(
  attempt: number,
  options: BackoffOptions,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random() * ceiling);
}

/** Resolves after `ms` milliseconds. Rejects with the signal's reason as soon as it aborts, and clears its timer. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
