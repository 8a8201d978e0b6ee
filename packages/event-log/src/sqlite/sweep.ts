import type { Logger } from '@tidegate/runtime/telemetry';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic, TopicStore } from './topic-store.ts';

const ROWS_PER_SLICE = 2_000;

export interface Sweep {
  /** One slice of every partition; true when some has more to do. Exposed for tests. */
  sweepOnce(nowMs: number): boolean;
  stop(): void;
}

/**
 * Retention and compaction in small slices, so that no sweep holds up the event loop for more than some
 * milliseconds. A deleted prefix moves the partition's start; compaction leaves gaps and does not.
 */
export function startSweep(file: SqlFile, topics: TopicStore, intervalMs: number, logger: Logger): Sweep {
  const oldest = file.prepare<{ offset: number; timestamp_ms: number }>(
    `SELECT "offset", timestamp_ms FROM records WHERE topic_id = ? AND partition = ? ORDER BY "offset" LIMIT ?`,
  );
  const deleteBefore = file.prepare(
    'DELETE FROM records WHERE topic_id = ? AND partition = ? AND "offset" < ?',
  );
  const deleteBlocks = file.prepare(
    'DELETE FROM time_blocks WHERE topic_id = ? AND partition = ? AND (block + 1) * 1024 <= ?',
  );
  const setStart = file.prepare(
    'UPDATE partitions SET start_offset = ? WHERE topic_id = ? AND partition = ?',
  );
  const sliceEnd = file.prepare<{ offset: number }>(
    `SELECT "offset" FROM records WHERE topic_id = ? AND partition = ? AND "offset" >= ?
     ORDER BY "offset" LIMIT 1 OFFSET ${ROWS_PER_SLICE}`,
  );
  // A superseded record, or a tombstone that everybody had the retention time to see.
  const compact = file.prepare(
    `DELETE FROM records AS r WHERE topic_id = ?1 AND partition = ?2 AND "offset" >= ?3 AND "offset" < ?4
     AND timestamp_ms < ?5 AND (value IS NULL OR EXISTS (
       SELECT 1 FROM records AS n WHERE n.topic_id = ?1 AND n.partition = ?2 AND n.compacted = 1
       AND n.key = r.key AND n."offset" > r."offset"))`,
  );
  const firstFrom = file.prepare<{ timestamp_ms: number }>(
    `SELECT timestamp_ms FROM records WHERE topic_id = ? AND partition = ? AND "offset" >= ?
     ORDER BY "offset" LIMIT 1`,
  );
  const compactedTo = new Map<string, number>();

  function dropOld(topic: StoredTopic, partition: number, horizonMs: number): boolean {
    const rows = oldest.all(topic.id, partition, ROWS_PER_SLICE);
    const firstYoung = rows.findIndex((row) => row.timestamp_ms >= horizonMs);
    if (firstYoung === 0 || rows.length === 0) return false;
    const start = rows[firstYoung]?.offset ?? (rows.at(-1)?.offset ?? 0) + 1;
    file.write(() => {
      deleteBefore.run(topic.id, partition, start);
      deleteBlocks.run(topic.id, partition, start);
      setStart.run(start, topic.id, partition);
    });
    return firstYoung === -1 && rows.length === ROWS_PER_SLICE;
  }

  /** Goes through the partition slice by slice and begins anew where the records are too young to be dropped. */
  function dropSuperseded(topic: StoredTopic, partition: number, horizonMs: number): boolean {
    const name = `${topic.name}/${partition}`;
    const from = compactedTo.get(name) ?? 0;
    if ((firstFrom.get(topic.id, partition, from)?.timestamp_ms ?? horizonMs) >= horizonMs) {
      compactedTo.set(name, 0);
      return false;
    }
    const next = sliceEnd.get(topic.id, partition, from)?.offset;
    const to = next ?? topics.endsOf(topic, partition).end;
    if (to > from) file.write(() => compact.run(topic.id, partition, from, to, horizonMs));
    compactedTo.set(name, next ?? 0);
    return next !== undefined;
  }

  function sweepOnce(nowMs: number): boolean {
    let more = false;
    for (const topic of topics.all()) {
      const drop = topic.cleanup === 'compact' ? dropSuperseded : dropOld;
      for (let partition = 0; partition < topic.partitions; partition++) {
        more = drop(topic, partition, nowMs - topic.retentionMs) || more;
      }
    }
    return more;
  }

  function tick(): void {
    let more = false;
    try {
      more = sweepOnce(Date.now());
    } catch (error) {
      logger.warn({ err: error }, 'the sweep of the event log failed and is tried again');
    }
    schedule(more ? Math.min(intervalMs, 100) : intervalMs);
  }

  function schedule(ms: number): void {
    timer = setTimeout(tick, ms);
    timer.unref();
  }

  let timer: NodeJS.Timeout;
  schedule(intervalMs);
  return { sweepOnce, stop: () => clearTimeout(timer) };
}
