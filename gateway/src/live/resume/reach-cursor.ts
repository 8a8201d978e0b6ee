import { TidegateError } from '@tidegate/core';
import type { StreamFeed } from '../feed/stream-feed.ts';

/**
 * Resolves when the feed has reached a cursor's positions. The cursor may come from a replica that is ahead of this
 * one.
 *
 * @param options.timeoutMs maximum wait in milliseconds.
 * @throws TidegateError UNAVAILABLE when the feed is still behind after `timeoutMs`; the signal's reason on abort.
 */
export async function reachCursor(
  feed: Pick<StreamFeed, 'whenReached'>,
  positions: ReadonlyMap<number, number>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  try {
    await feed.whenReached(positions, AbortSignal.any([timeout, options.signal]));
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new TidegateError('UNAVAILABLE', 'This replica has not come as far as your cursor; come back.');
  }
}
