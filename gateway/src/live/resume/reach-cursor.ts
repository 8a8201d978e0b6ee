import { TidegateError } from '@tidegate/core';
import type { StreamFeed } from '../feed/stream-feed.ts';

/**
 * Resolves when the feed has come as far as a cursor, which may be from a replica that is ahead of this one.
 *
 * @throws TidegateError UNAVAILABLE when it has not in time; the signal's reason when that aborts.
 */
export async function reachCursor(
  feed: Pick<StreamFeed, 'reached'>,
  positions: ReadonlyMap<number, number>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  try {
    await feed.reached(positions, AbortSignal.any([timeout, options.signal]));
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new TidegateError('UNAVAILABLE', 'This replica has not come as far as your cursor; come back.');
  }
}
