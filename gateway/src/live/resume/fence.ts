import type { Positions } from '../feed/positions.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

/** Point of the stream where a subscription switches from its replay to live changes. */
export interface Fence {
  /** The replay delivers records before these positions. */
  readonly positions: Positions;
  /** The subscription takes live changes after this sequence number. */
  readonly seq: number;
}

/** The fence at the feed's present end. */
export function fenceAt(feed: Pick<StreamFeed, 'positions' | 'seq'>): Fence {
  return { positions: [...feed.positions], seq: feed.seq };
}
