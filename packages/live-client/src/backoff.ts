/** Exponential backoff with full jitter: each delay is uniform between 0 and a growing ceiling. */
export interface Backoff {
  /** Ceiling of the first delay, in milliseconds. It doubles with each attempt. */
  readonly firstMs: number;
  /** Largest ceiling, in milliseconds. */
  readonly maxMs: number;
}

/** Returns the delay before retry `attempt` (from 1), in milliseconds. `random` is a parameter for tests. */
export function backoffMs(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random() * ceiling);
}
