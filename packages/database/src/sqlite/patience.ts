import { backoffMs, delay } from '@tidegate/runtime/resilience';
import { isSerializationFailure } from '../database-errors.ts';

const backoff = { firstMs: 2, maxMs: 50 };

/**
 * Runs the work again while another writer has the file, for `patienceMs`. SQLite's own busy timeout would block the
 * event loop, and with it a writer of this very process that the wait is for.
 */
export async function patiently<T>(work: () => T, patienceMs: number): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if (!isSerializationFailure(error) || Date.now() >= deadline) throw error;
      await delay(backoffMs(attempt, backoff));
    }
  }
}
