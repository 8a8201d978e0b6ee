/** Exponential backoff with full jitter: each delay is uniform in 0..ceiling, so that herds spread out. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The delay before attempt `attempt` (1 is the first retry). `random` is injectable for tests. */
export function backoffMs(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random() * ceiling);
}
