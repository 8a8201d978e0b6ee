import { retry } from '@tidegate/runtime/resilience';
import { isSerializationFailure } from '../database-errors.ts';

const backoff = { firstMs: 2, maxMs: 50 };

/**
 * Retries the work for up to `timeoutMs` milliseconds while another process writes to the file. SQLite's own busy
 * timeout would block the event loop instead, and with it every other transaction of this process.
 */
export function retryWhileBusy<T>(work: () => T, timeoutMs: number): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  return retry(async () => work(), {
    ...backoff,
    attempts: Infinity,
    retryable: (error) => isSerializationFailure(error) && Date.now() < deadline,
  });
}
