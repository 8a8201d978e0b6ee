import { TidegateError } from '@tidegate/core';
import type { EventLog, LogRecord, PartitionEnds } from '@tidegate/event-log';
import type { WorkTurns } from '@tidegate/runtime/resilience';
import type { Change } from '../feed/change.ts';
import { changeBytes } from '../feed/history.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

export interface ChangeReaderOptions {
  readonly log: EventLog;
  readonly feed: Pick<StreamFeed, 'topic' | 'epoch' | 'positions' | 'parse'>;
  /** Turns that all replays of the hub share. */
  readonly turns: WorkTurns;
  /** Memory limit for the cached changes, in bytes. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Time after the last use until a chunk is evicted, in milliseconds. Default 30 s. */
  readonly maxIdleMs?: number;
}

/** Offsets per read of the log. */
const CHUNK_OFFSETS = 200;
const MAX_BYTES = 16 * 1024 * 1024;
/** After a mass disconnect, clients reconnect within seconds. */
const MAX_IDLE_MS = 30_000;
/** Estimated memory of a chunk without changes, in bytes. */
const EMPTY_CHUNK_BYTES = 500;

interface CachedChunk {
  /** First offset that the chunk holds. */
  readonly from: number;
  readonly changes: Promise<readonly Change[]>;
  bytes: number;
  usedAtMs: number;
}

/**
 * Reads changes of one stream from the log for its replays. Replays that read the same range at about the same time
 * share one read and one parse of it. Evicts the least recently used chunks when the memory limit is exceeded, and
 * chunks that no replay has used for a while.
 */
export class ChangeReader {
  readonly #options: ChangeReaderOptions;
  readonly #maxBytes: number;
  readonly #maxIdleMs: number;
  /** By the log's epoch, partition and end of the chunk, from the least to the most recently used. */
  readonly #chunks = new Map<string, CachedChunk>();
  #bytes = 0;
  #isEvictionDue = false;

  constructor(options: ChangeReaderOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#maxIdleMs = options.maxIdleMs ?? MAX_IDLE_MS;
  }

  /** Turns that all replays of the hub share. */
  get turns(): WorkTurns {
    return this.#options.turns;
  }

  /** First and next offset of each partition in the log. */
  ends(): Promise<readonly PartitionEnds[]> {
    return this.#options.log.ends(this.#options.feed.topic);
  }

  /** First offset of a partition that the log holds. */
  async start(partition: number): Promise<number> {
    const ends = await this.ends();
    return ends.find((candidate) => candidate.partition === partition)?.start ?? 0;
  }

  /** Returns the first offset after the chunk of `offset`. */
  chunkEnd(offset: number): number {
    return (Math.floor(offset / CHUNK_OFFSETS) + 1) * CHUNK_OFFSETS;
  }

  /**
   * Reads the changes with fromOffset <= offset < toOffset, ascending. `toOffset` is at most `chunkEnd(fromOffset)`.
   * Their continuity is 'first'. Malformed records are omitted.
   *
   * @throws TidegateError CURSOR_EXPIRED when the log no longer holds `fromOffset`.
   */
  async read(partition: number, fromOffset: number, toOffset: number): Promise<readonly Change[]> {
    const end = this.chunkEnd(fromOffset);
    // A chunk at the log's end still grows.
    const isComplete = end <= (this.#options.feed.positions[partition] ?? 0);
    if (!isComplete) return this.#readLog(partition, fromOffset, toOffset);
    const changes = await this.#chunk(partition, fromOffset, end);
    return changes.filter(({ offset }) => offset >= fromOffset && offset < toOffset);
  }

  #chunk(partition: number, fromOffset: number, end: number): Promise<readonly Change[]> {
    const name = `${this.#options.feed.epoch}/${partition}/${end}`;
    const known = this.#chunks.get(name);
    if (known && known.from <= fromOffset) {
      this.#chunks.delete(name);
      this.#chunks.set(name, known);
      known.usedAtMs = performance.now();
      return known.changes;
    }
    const chunk: CachedChunk = {
      from: fromOffset,
      changes: this.#readLog(partition, fromOffset, end),
      bytes: 0,
      usedAtMs: performance.now(),
    };
    this.#remove(name);
    this.#chunks.set(name, chunk);
    if (!this.#isEvictionDue) this.#evictIdleIn(this.#maxIdleMs);
    chunk.changes.then(
      (changes) => this.#account(name, chunk, changes),
      () => this.#chunks.get(name) === chunk && this.#remove(name),
    );
    return chunk.changes;
  }

  #account(name: string, chunk: CachedChunk, changes: readonly Change[]): void {
    if (this.#chunks.get(name) !== chunk) return;
    chunk.bytes = changes.reduce((sum, change) => sum + changeBytes(change), EMPTY_CHUNK_BYTES);
    this.#bytes += chunk.bytes;
    for (const [oldest, { bytes }] of this.#chunks) {
      if (this.#bytes <= this.#maxBytes) break;
      // A chunk without bytes is being read, for a replay that waits for it.
      if (bytes > 0) this.#remove(oldest);
    }
  }

  #evictIdleIn(delayMs: number): void {
    this.#isEvictionDue = true;
    setTimeout(() => this.#evictIdle(), Math.max(1, Math.ceil(delayMs))).unref();
  }

  #evictIdle(): void {
    this.#isEvictionDue = false;
    const nowMs = performance.now();
    for (const [name, { usedAtMs }] of this.#chunks) {
      // From the least recently used on.
      if (nowMs - usedAtMs < this.#maxIdleMs) break;
      this.#remove(name);
    }
    const oldest = this.#chunks.values().next().value;
    if (oldest) this.#evictIdleIn(oldest.usedAtMs + this.#maxIdleMs - nowMs);
  }

  #remove(name: string): void {
    this.#bytes -= this.#chunks.get(name)?.bytes ?? 0;
    this.#chunks.delete(name);
  }

  async #readLog(partition: number, fromOffset: number, toOffset: number): Promise<readonly Change[]> {
    const { feed, turns } = this.#options;
    const changes: Change[] = [];
    await turns.next();
    for (const record of await this.#readRecords(partition, fromOffset, toOffset)) {
      const turn = turns.next();
      if (turn) await turn;
      const change = feed.parse(record);
      if (change) changes.push(change);
    }
    return changes;
  }

  async #readRecords(partition: number, fromOffset: number, toOffset: number): Promise<readonly LogRecord[]> {
    const { log, feed } = this.#options;
    const maxRecords = toOffset - fromOffset;
    try {
      return await log.read({ topic: feed.topic, partition, fromOffset, toOffset, maxRecords });
    } catch (error) {
      if (error instanceof TidegateError && error.code === 'LOG_POSITION_OUT_OF_RANGE') throw cursorExpired();
      throw error;
    }
  }
}

/** The error of a cursor whose position the log does not hold: it was deleted, or the topic is another one. */
export function cursorExpired(): TidegateError {
  return new TidegateError('CURSOR_EXPIRED', 'The log no longer holds what came after this cursor.');
}
