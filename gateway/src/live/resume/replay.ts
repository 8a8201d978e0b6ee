import { TidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import type { Change } from '../feed/change.ts';
import type { Group } from '../group/group.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';
import type { Fence } from './shared-replay.ts';
import { VersionFilter } from '../feed/version-filter.ts';

/** Records read from the log in one go. */
const CHUNK_RECORDS = 500;
/** How far before a cursor the log is read to recognise a repeat of what the client has already seen. */
const REPEAT_MARGIN_RECORDS = 200;
const MAX_TRACKED_KEYS = 50_000;

export interface ReplayOptions {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  readonly group: Group;
  readonly term: string;
  /** From where, per partition. */
  readonly from: ReadonlyMap<number, number>;
  /** Where the replay ends; what comes after is live. */
  readonly fence: Fence;
}

/** One missed change and where the client stands after it. */
export interface ReplayedChange {
  readonly change: Change;
  readonly positions: ReadonlyMap<number, number>;
}

/**
 * What a subscription missed since its cursor: first, partition by partition, what only the log still has, then
 * the history. Ordered per key. The live tail goes on meanwhile; its changes wait with the subscription.
 *
 * @throws TidegateError CURSOR_EXPIRED when the log no longer holds the cursor's position.
 */
export async function* replay(options: ReplayOptions): AsyncGenerator<ReplayedChange> {
  const { feed, group } = options;
  const positions = new Map(options.from);
  const seen = new VersionFilter(MAX_TRACKED_KEYS);
  const { fence } = options;
  const findBehind = (): number | undefined => firstBehind(feed, positions, fence);
  for (let behind = findBehind(); behind !== undefined; behind = findBehind()) {
    yield* replayFromLog(options, behind, positions, seen);
  }
  // Taken in one go: from here on nothing of it can be evicted.
  const recent = feed.history.matching(options.term, positions, fence.seq);
  for (const change of recent) {
    positions.set(change.partition, change.offset + 1);
    const joined = join(change, seen);
    if (joined && group.wants(joined)) yield { change: joined, positions: new Map(positions) };
  }
}

/** The change as it joins what was replayed before it; undefined for a repeat. */
function join(change: Change, seen: VersionFilter): Change | undefined {
  const admitted = seen.admit(change.key, change.version);
  if (admitted === 'repeat') return undefined;
  // The first of its key here: that one is missing before it was known when it came. That none is was known too, but
  // not of what the cursor had seen.
  const continuity = admitted === 'first' && change.continuity === 'gap' ? 'gap' : admitted;
  return { ...change, continuity };
}

/** A partition of which something before the fence is older than what the history holds. */
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
  const { feed, group, log, term } = options;
  const resumeAt = positions.get(partition)!;
  let next = Math.max(
    await firstHeld(log, feed.topic, partition, resumeAt),
    resumeAt - REPEAT_MARGIN_RECORDS,
  );
  // The history may evict more while the log is read: the end is looked up each time, and never beyond the fence.
  const end = (): number => Math.min(feed.history.start(partition), options.fence.positions[partition] ?? 0);
  while (next < end()) {
    const toOffset = Math.min(next + CHUNK_RECORDS, end());
    for (const record of await readChunk(log, feed.topic, partition, next, toOffset)) {
      const parsed = feed.parse(record);
      const change = parsed && join(parsed, seen);
      if (!change) continue;
      if (record.offset < resumeAt || !change.terms.includes(term) || !group.wants(change)) continue;
      positions.set(partition, record.offset + 1);
      yield { change, positions: new Map(positions) };
    }
    next = toOffset;
  }
  positions.set(partition, Math.max(next, resumeAt));
}

async function firstHeld(log: EventLog, topic: string, partition: number, resumeAt: number): Promise<number> {
  const ends = (await log.ends(topic)).find((candidate) => candidate.partition === partition);
  const start = ends?.start ?? 0;
  if (resumeAt < start) throw expired();
  return start;
}

async function readChunk(
  log: EventLog,
  topic: string,
  partition: number,
  fromOffset: number,
  toOffset: number,
) {
  try {
    return await log.read({ topic, partition, fromOffset, toOffset, maxRecords: CHUNK_RECORDS });
  } catch (error) {
    if (error instanceof TidegateError && error.code === 'LOG_POSITION_OUT_OF_RANGE') throw expired();
    throw error;
  }
}

function expired(): TidegateError {
  return new TidegateError('CURSOR_EXPIRED', 'The log no longer holds what came after this cursor.');
}
