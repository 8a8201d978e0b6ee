import type { LogRecord, OutgoingRecord, PartitionEnds, Position } from '../event-log.ts';
import { partitionFor } from '../murmur2.ts';
import { OFFSETS_PER_TIME_BLOCK } from './schema.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic, TopicStore } from './topic-store.ts';

export interface ReadLimits {
  readonly maxRecords: number;
  /** Maximum size of a slice in bytes. The first record is returned whatever its size. */
  readonly maxBytes: number;
  /** First offset that is not read. Default: the partition's end. */
  readonly toOffset?: number;
}

export interface Slice {
  readonly records: LogRecord[];
  readonly ends: PartitionEnds;
  /** The offset to read next: after the last record, or the end when compaction left no record before it. */
  readonly nextOffset: number;
  /** True when a limit ended the slice: there may be further records. */
  readonly more: boolean;
}

interface Row {
  readonly offset: number;
  readonly timestamp_ms: number;
  readonly key: string;
  readonly headers: string;
  readonly value: Uint8Array | null;
}

function prepareStatements(file: SqlFile) {
  return {
    insertRecord: file.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    setEnd: file.prepare('UPDATE partitions SET next_offset = ? WHERE topic_id = ? AND partition = ?'),
    raiseNewestTime: file.prepare(
      `INSERT INTO time_blocks VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET newest_ms = max(newest_ms, excluded.newest_ms)`,
    ),
    range: file.prepare<Row>(
      `SELECT "offset", timestamp_ms, key, headers, value FROM records
       WHERE topic_id = ? AND partition = ? AND "offset" >= ? AND "offset" < ? ORDER BY "offset" LIMIT ?`,
    ),
    blocksSince: file.prepare<{ block: number }>(
      'SELECT block FROM time_blocks WHERE topic_id = ? AND partition = ? AND newest_ms >= ? ORDER BY block',
    ),
    firstInBlock: file.prepare<{ offset: number }>(
      `SELECT "offset" FROM records WHERE topic_id = ? AND partition = ? AND "offset" >= ? AND "offset" < ?
       AND timestamp_ms >= ? ORDER BY "offset" LIMIT 1`,
    ),
  };
}

/** The records of all partitions. */
export class RecordStore {
  readonly #file: SqlFile;
  readonly #topics: TopicStore;
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(file: SqlFile, topics: TopicStore) {
    this.#file = file;
    this.#topics = topics;
    this.#sql = prepareStatements(file);
  }

  /** Appends the records; the caller runs it in a write transaction. */
  insert(topic: StoredTopic, records: readonly OutgoingRecord[], nowMs: number): Position[] {
    const nextOffsets = new Map<number, number>();
    const positions = records.map((record) => {
      const partition = partitionFor(record.key, topic.partitions);
      const offset = nextOffsets.get(partition) ?? this.#topics.endsOf(topic, partition).end;
      nextOffsets.set(partition, offset + 1);
      const position = { topic: topic.name, partition, offset };
      this.#insertOne(topic, position, record, nowMs);
      return position;
    });
    for (const [partition, end] of nextOffsets) this.#sql.setEnd.run(end, topic.id, partition);
    return positions;
  }

  /** @throws TidegateError NOT_FOUND for an unknown partition. */
  read(topic: StoredTopic, partition: number, fromOffset: number, limits: ReadLimits): Slice {
    return this.#file.read(() => {
      const ends = this.#topics.endsOf(topic, partition);
      const to = Math.min(ends.end, limits.toOffset ?? ends.end);
      const records: LogRecord[] = [];
      let bytes = 0;
      let more = false;
      for (const row of this.#sql.range.iterate(topic.id, partition, fromOffset, to, limits.maxRecords)) {
        bytes += (row.value?.length ?? 0) + row.headers.length + row.key.length;
        more = records.length > 0 && bytes > limits.maxBytes;
        if (more) break;
        records.push(toRecord(topic, partition, row));
      }
      more ||= records.length === limits.maxRecords;
      const last = records.at(-1);
      return { records, ends, more, nextOffset: more && last ? last.offset + 1 : Math.max(fromOffset, to) };
    });
  }

  /** The first offset whose record's timestamp is at or after `timeMs`; undefined when there is none. */
  firstOffsetAt(topic: StoredTopic, partition: number, timeMs: number): number | undefined {
    return this.#file.read(() => {
      for (const { block } of this.#sql.blocksSince.all(topic.id, partition, timeMs)) {
        const from = block * OFFSETS_PER_TIME_BLOCK;
        const to = from + OFFSETS_PER_TIME_BLOCK;
        const row = this.#sql.firstInBlock.get(topic.id, partition, from, to, timeMs);
        if (row) return row.offset;
      }
      return undefined;
    });
  }

  #insertOne(topic: StoredTopic, position: Position, record: OutgoingRecord, nowMs: number): void {
    const timestampMs = record.timestampMs ?? nowMs;
    const { partition, offset } = position;
    this.#sql.insertRecord.run(
      topic.id,
      partition,
      offset,
      timestampMs,
      topic.cleanup === 'compact' ? 1 : 0,
      record.key,
      JSON.stringify(record.headers),
      record.value,
    );
    const block = Math.floor(offset / OFFSETS_PER_TIME_BLOCK);
    this.#sql.raiseNewestTime.run(topic.id, partition, block, timestampMs);
  }
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
