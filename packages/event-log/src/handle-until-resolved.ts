import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { RecordBatch } from './event-log.ts';

const handlerBackoff = { firstMs: 50, maxMs: 5_000 };

/**
 * Retries the handler with the same batch until it resolves. Returns false when the batch's signal aborted first.
 * Waits for a running handler even after the signal aborted: a batch that it finishes will be acknowledged.
 *
 * @param onError Called with each rejection of the handler.
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
      // An abort ends the delay; the loop's condition then ends the loop.
      await delay(backoffMs(attempt, handlerBackoff), batch.signal).catch(() => undefined);
    }
  }
  return false;
}

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
