import { delay } from '@tidegate/runtime/resilience';

/** Backoff of all retries of the relay. */
export const retryBackoff = { firstMs: 50, maxMs: 5_000 };

/** Resolves after `ms` milliseconds, or as soon as the signal aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch(() => undefined);
}
