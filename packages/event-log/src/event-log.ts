/**
 * The event log port. Its comments are the contract: both adapters (`sqlite.ts`, `kafka.ts`) pass the one
 * conformance suite in `conformance.ts`, whose titles are these sentences.
 */
export interface EventLog {
  /**
   * Names the log's incarnation: the same string as long as offsets mean the same records, another one after
   * the log was recreated. Cursors carry it.
   */
  epoch(): Promise<string>;

  /**
   * Creates the topics that do not exist. An existing topic MUST keep its records; asking for another number of
   * partitions than it has rejects with CONFLICT, because keys would move.
   */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;

  /**
   * Resolves when every record is durable (Kafka: acks=all), with one position a record in the order given.
   * The key chooses the partition by Kafka's murmur2. Records of one call with the same key keep their order;
   * a call made after another resolved comes after it. At least once: a rejected call may have appended some.
   * Rejects with UNAVAILABLE when the log cannot be reached, PAYLOAD_TOO_LARGE when a record exceeds its limit,
   * NOT_FOUND for an unknown topic.
   */
  append(topic: string, records: readonly OutgoingRecord[]): Promise<Position[]>;

  /**
   * Group consumption. Each partition is owned by one member of the group at a time; its records come in order,
   * in batches, the next batch after the handler resolved. A batch is acknowledged (committed) when the handler
   * resolves; when it rejects, the same records come again after a backoff. Nothing is acknowledged otherwise: a
   * process that dies repeats from its last acknowledged record, never skips. A new group starts at `from`.
   * Partitions are handled concurrently: one that is slow or failing does not hold up the others.
   */
  consume(options: ConsumeOptions): Promise<Consumption>;

  /**
   * Group-less tail of every partition of the topics: each record once and in order per partition from the
   * given start on, across leader moves and broker restarts, leaving nothing behind on the broker.
   * Resolves when every partition's start is known: what is appended after that MUST be delivered.
   * Backpressure: the next records of a partition are read after `onRecords` resolved.
   * A start that the log no longer holds rejects with LOG_POSITION_OUT_OF_RANGE.
   */
  tail(options: TailOptions): Promise<Tail>;

  /**
   * Reads one partition's records with `fromOffset <= offset < toOffset`, in order, at most `maxRecords`.
   * Compaction may have left gaps. Rejects with LOG_POSITION_OUT_OF_RANGE when `fromOffset` was deleted.
   */
  read(options: ReadOptions): Promise<LogRecord[]>;

  /** For each partition the first offset held and the offset the next record will get. */
  ends(topic: string): Promise<PartitionEnds[]>;

  /** For each partition the first offset whose record's timestamp is at or after `timeMs`; `end` when none is. */
  offsetsAt(topic: string, timeMs: number): Promise<PartitionOffset[]>;

  /** For each partition how many records the group has not acknowledged yet. */
  lag(group: string, topic: string): Promise<PartitionLag[]>;

  /** Resolves when the log answers, rejects with UNAVAILABLE when it does not within `timeoutMs`. */
  ping(timeoutMs: number): Promise<void>;

  /** Stops every consumption and tail it started, waits for running handlers, releases all resources. */
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** 'delete' keeps records for `retentionMs`; 'compact' keeps the newest of each key, and every one for `retentionMs`. */
  readonly cleanup: 'delete' | 'compact';
  readonly retentionMs: number;
}

export interface OutgoingRecord {
  /** Chooses the partition; records with the same key keep their order. */
  readonly key: string;
  /** null is a tombstone: on a compacted topic it deletes the key. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch; the time of the append when absent. */
  readonly timestampMs?: number;
}

export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface LogRecord extends Position {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestampMs: number;
}

export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  /** At least one, ascending by offset. */
  readonly records: readonly LogRecord[];
  /** Aborts when the partition is being taken away or the consumption stops: finish or reject soon. */
  readonly signal: AbortSignal;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Where a group starts that has never acknowledged anything on a partition. Default 'start'. */
  readonly from?: 'start' | 'end';
  /** Most records in one batch. Default 200. */
  readonly maxBatchRecords?: number;
  readonly handler: (batch: RecordBatch) => Promise<void>;
  /** Called with what went wrong when a handler rejected or the log had to be reached again; for the log and metrics. */
  readonly onError?: (error: Error) => void;
}

export interface Consumption {
  /** Stops fetching, waits for running handlers, acknowledges what they finished. Idempotent. */
  stop(): Promise<void>;
}

export type TailStart =
  | 'start'
  | 'end'
  | { readonly timeMs: number }
  /** The next offset to deliver, per topic and partition; a partition not named starts at its end. */
  | { readonly positions: readonly Position[] };

export interface TailOptions {
  readonly topics: readonly string[];
  readonly from: TailStart;
  /** Records of one partition, ascending. Rejecting ends the tail with `onEnd(error)`. */
  readonly onRecords: (records: readonly LogRecord[]) => void | Promise<void>;
  /** Trouble that the tail gets over by itself (a leader moved, the broker is away): for the log and metrics. */
  readonly onTrouble?: (error: Error) => void;
  /** Called once when the tail ended without being stopped; it delivers nothing any more. */
  readonly onEnd?: (error: Error) => void;
}

export interface Tail {
  /** The next offset it started from, per topic and partition. */
  readonly startedAt: readonly Position[];
  /** After it resolves `onRecords` is not called again. Idempotent. */
  stop(): Promise<void>;
}

export interface ReadOptions {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly maxRecords: number;
}

export interface PartitionEnds {
  readonly partition: number;
  readonly start: number;
  readonly end: number;
}

export interface PartitionOffset {
  readonly partition: number;
  readonly offset: number;
}

export interface PartitionLag {
  readonly partition: number;
  readonly lag: number;
}
