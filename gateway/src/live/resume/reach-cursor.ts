import { TidegateError } from '@tidegate/core';
import type { PartitionEnds } from '@tidegate/event-log';
import type { StreamFeed } from '../feed/stream-feed.ts';
import { cursorExpired } from './change-reader.ts';

/**
 * Resolves when the feed has reached a cursor's positions. The cursor may come from a replica that is ahead of this
 * one, or from before the log was rolled back.
 *
 * @param options.timeoutMs maximum wait in milliseconds.
 * @param options.ends returns the log's ends.
 * @throws TidegateError when the feed is still behind after `timeoutMs`: CURSOR_EXPIRED when the log is too, else
 *   UNAVAILABLE; the signal's reason on abort.
 */
export async function reachCursor(
  feed: Pick<StreamFeed, 'whenReached'>,
  positions: ReadonlyMap<number, number>,
  options: {
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly ends: () => Promise<readonly PartitionEnds[]>;
  },
): Promise<void> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  try {
    await feed.whenReached(positions, AbortSignal.any([timeout, options.signal]));
  } catch (error) {
    if (!timeout.aborted) throw error;
    const ends = await options.ends();
    options.signal.throwIfAborted();
    // Only now: the end that a new leader tells may be behind for a moment.
    if (ends.some(({ partition, end }) => (positions.get(partition) ?? 0) > end)) throw cursorExpired();
    throw new TidegateError('UNAVAILABLE', 'This replica has not come as far as your cursor; come back.');
  }
}
