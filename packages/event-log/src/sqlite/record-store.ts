import type { LogRecord, OutgoingRecord, PartitionEnds, Position } from '../event-log.ts';
import { partitionFor } from '../murmur2.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic, TopicStore } from './topic-store.ts';

const OFFSETS_PER_TIME_BLOCK = 1_024;

export interface ReadLimits {
  readonly maxRecords: number;
  /** The first record comes whatever its size. */
  readonly maxBytes: number;
  /** Exclusive. */
  readonly toOffset?: number;
}

export interface Slice {
  readonly records: LogRecord[];
  readonly ends: PartitionEnds;
  /** Where to read on: behind the last record, or at the end when compaction left nothing more before it. */
  readonly nextOffset: number;
  readonly more: boolean;
}

export interface RecordStore {
  /** Inside a write transaction of the caller. */
  insert(topic: StoredTopic, records: readonly OutgoingRecord[], nowMs: number): Position[];
  read(topic: StoredTopic, partition: number, fromOffset: number, limits: ReadLimits): Slice;
  /** Undefined when no record is that young. */
  firstOffsetAt(topic: StoredTopic, partition: number, timeMs: number): number | undefined;
}

interface Row {
  offset: number;
  timestamp_ms: number;
  key: string;
  headers: string;
  value: Uint8Array | null;
}

export function createRecordStore(file: SqlFile, topics: TopicStore): RecordStore {
  const insertRecord = file.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const setEnd = file.prepare('UPDATE partitions SET next_offset = ? WHERE topic_id = ? AND partition = ?');
  const raiseTime = file.prepare(
    `INSERT INTO time_blocks VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET newest_ms = max(newest_ms, excluded.newest_ms)`,
  );
  const select = file.prepare<Row>(
    `SELECT "offset", timestamp_ms, key, headers, value FROM records
     WHERE topic_id = ? AND partition = ? AND "offset" >= ? AND "offset" < ? ORDER BY "offset" LIMIT ?`,
  );
  const blocksSince = file.prepare<{ block: number }>(
    'SELECT block FROM time_blocks WHERE topic_id = ? AND partition = ? AND newest_ms >= ? ORDER BY block',
  );
  const firstInBlock = file.prepare<{ offset: number }>(
    `SELECT "offset" FROM records WHERE topic_id = ? AND partition = ? AND "offset" >= ? AND "offset" < ?
     AND timestamp_ms >= ? ORDER BY "offset" LIMIT 1`,
  );

  function insertOne(topic: StoredTopic, position: Position, record: OutgoingRecord, nowMs: number): void {
    const timestampMs = record.timestampMs ?? nowMs;
    const { partition, offset } = position;
    insertRecord.run(
      topic.id,
      partition,
      offset,
      timestampMs,
      topic.cleanup === 'compact' ? 1 : 0,
      record.key,
      JSON.stringify(record.headers),
      record.value,
    );
    raiseTime.run(topic.id, partition, Math.floor(offset / OFFSETS_PER_TIME_BLOCK), timestampMs);
  }

  return {
    insert(topic, records, nowMs) {
      const nextOffsets = new Map<number, number>();
      const positions = records.map((record) => {
        const partition = partitionFor(record.key, topic.partitions);
        const offset = nextOffsets.get(partition) ?? topics.endsOf(topic, partition).end;
        nextOffsets.set(partition, offset + 1);
        const position = { topic: topic.name, partition, offset };
        insertOne(topic, position, record, nowMs);
        return position;
      });
      for (const [partition, end] of nextOffsets) setEnd.run(end, topic.id, partition);
      return positions;
    },

    read(topic, partition, fromOffset, limits) {
      return file.read(() => {
        const ends = topics.endsOf(topic, partition);
        const to = Math.min(ends.end, limits.toOffset ?? ends.end);
        const records: LogRecord[] = [];
        let bytes = 0;
        let more = false;
        for (const row of select.iterate(topic.id, partition, fromOffset, to, limits.maxRecords)) {
          bytes += (row.value?.length ?? 0) + row.headers.length + row.key.length;
          more = records.length > 0 && bytes > limits.maxBytes;
          if (more) break;
          records.push(toRecord(topic, partition, row));
        }
        more ||= records.length === limits.maxRecords;
        const last = records.at(-1);
        return { records, ends, more, nextOffset: more && last ? last.offset + 1 : Math.max(fromOffset, to) };
      });
    },

    firstOffsetAt(topic, partition, timeMs) {
      return file.read(() => {
        for (const { block } of blocksSince.all(topic.id, partition, timeMs)) {
          const from = block * OFFSETS_PER_TIME_BLOCK;
          const row = firstInBlock.get(topic.id, partition, from, from + OFFSETS_PER_TIME_BLOCK, timeMs);
          if (row) return row.offset;
        }
        return undefined;
      });
    },
  };
}

function toRecord(topic: StoredTopic, partition: number, row: Row): LogRecord {
  const { value } = row;
  return {
    topic: topic.name,
    partition,
    offset: row.offset,
    key: row.key,
    value: value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers: JSON.parse(row.headers) as Record<string, string>,
    timestampMs: row.timestamp_ms,
  };
}
