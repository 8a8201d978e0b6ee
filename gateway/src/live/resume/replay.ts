import type { Change } from '../feed/change.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';
import { VersionFilter } from '../feed/version-filter.ts';
import type { Rendering } from '../group/rendering.ts';
import { cursorExpired, type ChangeReader } from './change-reader.ts';
import type { Fence } from './fence.ts';

/** The log is read from this many records before the cursor, to recognise repeats of changes the client has. */
const REPEAT_MARGIN_RECORDS = 200;
const MAX_TRACKED_KEYS = 50_000;

export interface ReplayOptions {
  readonly reader: ChangeReader;
  readonly feed: StreamFeed;
  readonly rendering: Pick<Rendering, 'wants'>;
  /** Index term of the subscription. */
  readonly term: string;
  /** Start of the replay: next offset by partition. */
  readonly from: ReadonlyMap<number, number>;
  /** End of the replay; later changes are live. */
  readonly fence: Fence;
}

/** A missed change and the client's positions after it. */
export interface ReplayedChange {
  readonly change: Change;
  readonly positions: ReadonlyMap<number, number>;
}

/**
 * Yields the changes between a cursor and the fence, in order per key: first, partition by partition, those that only
 * the log still has, then those in the history. Live changes are buffered by the subscription in the meantime. Lets the
 * event loop turn between changes, in the turns that all replays share.
 *
 * @throws TidegateError CURSOR_EXPIRED when the log no longer holds the cursor's position.
 */
export async function* replay(options: ReplayOptions): AsyncGenerator<ReplayedChange> {
  const { feed, reader, rendering, fence } = options;
  const positions = new Map(options.from);
  const seen = new VersionFilter(MAX_TRACKED_KEYS);
  const findBehind = (): number | undefined => firstBehind(feed, positions, fence);
  for (let behind = findBehind(); behind !== undefined; behind = findBehind()) {
    yield* replayFromLog(options, behind, positions, seen);
  }
  // Copied synchronously after the last check: the history cannot evict any of these changes any more.
  const recent = feed.history.matching(options.term, positions, fence.seq);
  for (const change of recent) {
    const turn = reader.turns.next();
    if (turn) await turn;
    positions.set(change.partition, change.offset + 1);
    const joined = join(change, seen);
    if (joined && rendering.wants(joined)) yield { change: joined, positions: new Map(positions) };
  }
}

/** Sets the change's continuity relative to the changes replayed before it; undefined for a repeat. */
function join(change: Change, seen: VersionFilter): Change | undefined {
  const admitted = seen.admit(change.key, change.version);
  if (admitted === 'repeat') return undefined;
  // For the first change of a key only the feed's 'gap' is kept. Its 'next' compares with a change that this client may
  // not have.
  const continuity = admitted === 'first' && change.continuity === 'gap' ? 'gap' : admitted;
  return continuity === change.continuity ? change : { ...change, continuity };
}

/** Returns a partition whose missed changes begin before the history does; undefined when there is none. */
function firstBehind(
  feed: StreamFeed,
  positions: ReadonlyMap<number, number>,
  fence: Fence,
): number | undefined {
  for (const [partition, position] of positions) {
    if (position < Math.min(feed.history.start(partition), fence.positions[partition] ?? 0)) return partition;
  }
  return undefined;
}

async function* replayFromLog(
  options: ReplayOptions,
  partition: number,
  positions: Map<number, number>,
  seen: VersionFilter,
): AsyncGenerator<ReplayedChange> {
  const { feed, rendering, reader, term } = options;
  const resumeAt = positions.get(partition)!;
  const start = await reader.start(partition);
  if (resumeAt < start) throw cursorExpired();
  let next = Math.max(start, resumeAt - REPEAT_MARGIN_RECORDS);
  // The history may evict more during the reads, so the end is computed each time. It never lies beyond the fence.
  const end = (): number => Math.min(feed.history.start(partition), options.fence.positions[partition] ?? 0);
  while (next < end()) {
    const toOffset = Math.min(reader.chunkEnd(next), end());
    for (const read of await reader.read(partition, next, toOffset)) {
      const turn = reader.turns.next();
      if (turn) await turn;
      const change = join(read, seen);
      if (!change) continue;
      if (change.offset < resumeAt || !change.terms.includes(term) || !rendering.wants(change)) continue;
      positions.set(partition, change.offset + 1);
      yield { change, positions: new Map(positions) };
    }
    next = toOffset;
  }
  positions.set(partition, Math.max(next, resumeAt));
}
