import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@tidegate/runtime/telemetry';
import { OFFSETS_PER_TIME_BLOCK } from './schema.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic, TopicStore } from './topic-store.ts';

const ROWS_PER_SLICE = 500;
/** Longest wait in milliseconds while a partition has further slices. */
const BACKLOG_INTERVAL_MS = 100;

export interface SweepOptions {
  /** Time between two sweeps in milliseconds. */
  readonly intervalMs: number;
  /** Bound of the file in bytes; 0: no bound. */
  readonly maxBytes: number;
  readonly logger: Logger;
  /** Called after each run. */
  readonly onRun: () => void;
}

function prepareStatements(file: SqlFile) {
  return {
    oldest: file.prepare<{ offset: number; timestamp_ms: number }>(
      'SELECT "offset", timestamp_ms FROM records WHERE topic_id = ? AND partition = ? ORDER BY "offset" LIMIT ?',
    ),
    deleteBefore: file.prepare('DELETE FROM records WHERE topic_id = ? AND partition = ? AND "offset" < ?'),
    deleteBlocks: file.prepare(
      `DELETE FROM time_blocks WHERE topic_id = ? AND partition = ?
       AND (block + 1) * ${OFFSETS_PER_TIME_BLOCK} <= ?`,
    ),
    setStart: file.prepare('UPDATE partitions SET start_offset = ? WHERE topic_id = ? AND partition = ?'),
    nextSlice: file.prepare<{ offset: number }>(
      `SELECT "offset" FROM records WHERE topic_id = ? AND partition = ? AND "offset" >= ?
       ORDER BY "offset" LIMIT 1 OFFSET ${ROWS_PER_SLICE}`,
    ),
    // Deletes superseded records, and tombstones that every reader had the retention time to see.
    compact: file.prepare(
      `DELETE FROM records AS r WHERE topic_id = ?1 AND partition = ?2 AND "offset" >= ?3 AND "offset" < ?4
       AND timestamp_ms < ?5 AND (value IS NULL OR EXISTS (
         SELECT 1 FROM records AS n WHERE n.topic_id = ?1 AND n.partition = ?2 AND n.compacted = 1
         AND n.key = r.key AND n."offset" > r."offset"))`,
    ),
    usedBytes: file.prepare<{ bytes: number }>(
      `SELECT (page_count - freelist_count) * page_size AS bytes
       FROM pragma_page_count, pragma_freelist_count, pragma_page_size`,
    ),
    // The partition whose oldest record is the oldest of all that every consumer group has handled.
    oldestHandled: file.prepare<{ topic_id: number; partition: number; handled: number }>(
      `SELECT p.topic_id, p.partition, p.handled FROM (
         SELECT p.topic_id, p.partition, coalesce(
           (SELECT min(next_offset) FROM checkpoints AS c WHERE c.topic_id = p.topic_id AND c.partition = p.partition),
           p.next_offset) AS handled
         FROM partitions AS p JOIN topics AS t ON t.id = p.topic_id WHERE t.cleanup = 'delete'
       ) AS p JOIN records AS r ON r.topic_id = p.topic_id AND r.partition = p.partition AND r."offset" = (
         SELECT min("offset") FROM records WHERE topic_id = p.topic_id AND partition = p.partition)
       WHERE r."offset" < p.handled ORDER BY r.timestamp_ms LIMIT 1`,
    ),
    firstFrom: file.prepare<{ timestamp_ms: number }>(
      `SELECT timestamp_ms FROM records WHERE topic_id = ? AND partition = ? AND "offset" >= ?
       ORDER BY "offset" LIMIT 1`,
    ),
  };
}

/**
 * Retention by time and size, and compaction, in slices small enough to block the event loop for a few milliseconds only. Retention
 * moves the partition's start; compaction leaves gaps and does not move it.
 */
export class Sweep {
  readonly #file: SqlFile;
  readonly #topics: TopicStore;
  readonly #options: SweepOptions;
  readonly #sql: ReturnType<typeof prepareStatements>;
  /** Per partition of compacted topics, the offset at which the next slice starts. */
  readonly #compactedTo = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;
  #isOverBound = false;

  constructor(file: SqlFile, topics: TopicStore, options: SweepOptions) {
    this.#file = file;
    this.#topics = topics;
    this.#options = options;
    this.#sql = prepareStatements(file);
  }

  start(): this {
    this.#schedule(this.#options.intervalMs);
    return this;
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#run(), ms).unref();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { intervalMs, logger } = this.#options;
    let more = false;
    try {
      more = await this.#sweepOneSliceEach(Date.now());
    } catch (error) {
      logger.warn({ err: error }, 'the sweep of the event log failed and is tried again');
    }
    if (!this.#isStopped) this.#options.onRun();
    this.#schedule(more ? Math.min(intervalMs, BACKLOG_INTERVAL_MS) : intervalMs);
  }

  /** Sweeps one slice of every partition. Returns true when a partition has further slices. */
  async #sweepOneSliceEach(nowMs: number): Promise<boolean> {
    let more = false;
    for (const topic of this.#topics.all()) {
      const horizonMs = nowMs - topic.retentionMs;
      for (let partition = 0; partition < topic.partitions; partition++) {
        const partitionHasMore =
          topic.cleanup === 'compact'
            ? this.#compact(topic, partition, horizonMs)
            : this.#dropExpired(topic, partition, horizonMs);
        more ||= partitionHasMore;
        await nextTurn();
        if (this.#isStopped) return false;
      }
    }
    return this.#dropOverBound() || more;
  }

  /**
   * Deletes the oldest records of topics with time retention while the file exceeds its bound. Keeps what a consumer
   * group has still to handle, and compacted topics. Returns true when there is more to delete.
   */
  #dropOverBound(): boolean {
    const { maxBytes, logger } = this.#options;
    if (maxBytes === 0) return false;
    const { bytes = 0 } = this.#sql.usedBytes.get() ?? {};
    const isOverBound = bytes > maxBytes;
    const oldest = isOverBound ? this.#sql.oldestHandled.get() : undefined;
    const cannotShrink = isOverBound && !oldest;
    if (cannotShrink && !this.#isOverBound) {
      logger.warn({ bytes, maxBytes }, 'the event log exceeds its bound: all of it is still needed');
    }
    this.#isOverBound = cannotShrink;
    if (!oldest) return false;
    const { topic_id: topic, partition, handled } = oldest;
    const rows = this.#sql.oldest.all(topic, partition, ROWS_PER_SLICE);
    this.#moveStart(topic, partition, Math.min(handled, (rows.at(-1)?.offset ?? 0) + 1));
    return true;
  }

  #moveStart(topicId: number, partition: number, start: number): void {
    this.#file.write(() => {
      this.#sql.deleteBefore.run(topicId, partition, start);
      this.#sql.deleteBlocks.run(topicId, partition, start);
      this.#sql.setStart.run(start, topicId, partition);
    });
  }

  #dropExpired(topic: StoredTopic, partition: number, horizonMs: number): boolean {
    const rows = this.#sql.oldest.all(topic.id, partition, ROWS_PER_SLICE);
    const firstKept = rows.findIndex((row) => row.timestamp_ms >= horizonMs);
    if (firstKept === 0 || rows.length === 0) return false;
    const start = rows[firstKept]?.offset ?? (rows.at(-1)?.offset ?? 0) + 1;
    this.#moveStart(topic.id, partition, start);
    return firstKept === -1 && rows.length === ROWS_PER_SLICE;
  }

  /** Compacts the next slice, and starts over at the partition's start when the slice's records are too young. */
  #compact(topic: StoredTopic, partition: number, horizonMs: number): boolean {
    const name = `${topic.name}/${partition}`;
    const from = this.#compactedTo.get(name) ?? 0;
    const firstMs = this.#sql.firstFrom.get(topic.id, partition, from)?.timestamp_ms ?? horizonMs;
    if (firstMs >= horizonMs) {
      this.#compactedTo.set(name, 0);
      return false;
    }
    const next = this.#sql.nextSlice.get(topic.id, partition, from)?.offset;
    const to = next ?? this.#topics.endsOf(topic, partition).end;
    if (to > from) this.#file.write(() => this.#sql.compact.run(topic.id, partition, from, to, horizonMs));
    this.#compactedTo.set(name, next ?? 0);
    return next !== undefined;
  }
}
