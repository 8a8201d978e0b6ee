import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { RecordBatch } from './event-log.ts';

export const handlerBackoff = { firstMs: 50, maxMs: 5_000 };

/**
 * Calls the handler with the same records until it resolves; false when the signal aborted first. A handler that
 * is running is waited for whatever the signal says: what it finished will be acknowledged.
 */
export async function handleUntilResolved(
  batch: RecordBatch,
  handler: (batch: RecordBatch) => Promise<void>,
  onError: (error: Error) => void,
): Promise<boolean> {
  for (let attempt = 1; !batch.signal.aborted; attempt++) {
    try {
      await handler(batch);
      return true;
    } catch (error) {
      onError(toError(error));
      // Aborting ends the wait; the loop's condition then ends the loop.
      await delay(backoffMs(attempt, handlerBackoff), batch.signal).catch(() => undefined);
    }
  }
  return false;
}

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
