/**
 * The event log port. Its comments are the contract: both adapters (`sqlite.ts`, `kafka.ts`) pass the conformance suite
 * (`conformance.ts`), whose titles are the sentences with MUST.
 *
 * - An unknown topic MUST reject with NOT_FOUND and MUST NOT be created.
 * - A closed log MUST reject with UNAVAILABLE, and closing twice MUST be one close.
 */
export interface EventLog {
  /**
   * Names the incarnation of a topic, for cursors. A topic that was deleted and created again gets another epoch, because
   * its offsets name different records. So do all topics of an embedded log that was restored from a backup.
   *
   * - The epoch MUST be the same string for every process and after a restart.
   */
  epoch(topic: string): Promise<string>;

  /**
   * Creates missing topics.
   *
   * - An existing topic MUST keep its records when it is ensured again.
   * - An existing topic MUST be used as it is, also with another number of partitions.
   * - Two processes MUST be able to ensure the same topics at the same time.
   * - An invalid topic MUST reject with BAD_REQUEST.
   */
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;

  /**
   * Appends records. Resolves when all of them are durable (Kafka: acks=all). Rejects with UNAVAILABLE when the log
   * cannot be reached. At least once: a call that rejects with UNAVAILABLE may have appended some of its records.
   *
   * - append MUST resolve with one position a record, in the order given; the key MUST choose the partition by Kafka's
   *   murmur2.
   * - Records of one call with the same key MUST keep their order.
   * - Concurrent calls MUST get positions of their own, in the order of the calls.
   * - An empty call MUST resolve without a position.
   * - Key, headers, value and timestamp MUST be kept.
   * - A record without a timestamp MUST get the time of the append.
   * - A null value MUST be kept as a tombstone, an empty one as empty.
   * - Acknowledged records MUST be there after the log is opened again.
   * - A call with a record above the size limit MUST reject with PAYLOAD_TOO_LARGE and MUST NOT append any record.
   */
  append(topic: string, records: readonly OutgoingRecord[]): Promise<Position[]>;

  /**
   * Joins a consumer group. At least once: a process that dies repeats from its last acknowledged record, and never
   * skips one.
   *
   * - Records of a partition MUST come in order, in batches of at most maxBatchRecords.
   * - A batch MUST be acknowledged when the handler resolves: the lag falls to 0.
   * - Before the handler resolves, the batch MUST NOT be acknowledged and the next one MUST NOT come.
   * - When the handler rejects, the same records MUST come again after a backoff.
   * - A slow or failing partition MUST NOT hold up the others.
   * - After a restart unacknowledged records MUST come again, acknowledged ones MUST NOT.
   * - A new group MUST start at `from`; its 'end' MUST stay the same end across a restart.
   * - Each group MUST get every record.
   * - Each partition MUST be owned by one member of the group at a time; when one leaves, the others MUST take over.
   */
  consume(options: ConsumeOptions): Promise<Consumption>;

  /**
   * Follows every partition of the topics without a group, across leader moves and broker restarts. It leaves no state
   * on the broker. Resolves when the start of every partition is known.
   *
   * - Each record MUST be delivered once and in order per partition, from the start on.
   * - From the end on, records appended after tail resolved MUST be delivered, earlier ones MUST NOT.
   * - Every tail MUST get every record, in this process and in another.
   * - A start at a time MUST deliver from the first record at or after it.
   * - A start at positions MUST deliver from them; a partition without one MUST start at its end.
   * - A position at the end of its partition MUST be in range.
   * - A start that the log does not hold MUST reject with LOG_POSITION_OUT_OF_RANGE.
   * - The next records of a partition MUST NOT be read before onRecords resolved. (Backpressure.)
   * - A slow partition MUST NOT hold up the other partitions.
   * - A partition that is added later MUST be delivered from its beginning, after a call of onPartitions.
   * - When onRecords rejects, the tail MUST call onEnd once and MUST NOT deliver any further record.
   */
  tail(options: TailOptions): Promise<Tail>;

  /**
   * Reads a range of one partition. Compaction may have left gaps.
   *
   * - read MUST return the records with fromOffset <= offset < toOffset, in order, at most maxRecords.
   * - read MUST reject with LOG_POSITION_OUT_OF_RANGE when fromOffset was deleted.
   * - read MUST reject with NOT_FOUND for a partition that the topic does not have.
   */
  read(options: ReadOptions): Promise<LogRecord[]>;

  /** For each partition ends MUST return the first offset held and the offset of the next record. */
  ends(topic: string): Promise<PartitionEnds[]>;

  /** For each partition offsetsAt MUST return the first offset at or after the time, the end where there is none. */
  offsetsAt(topic: string, timeMs: number): Promise<PartitionOffset[]>;

  /**
   * Returns for how long the topic keeps every record, in milliseconds: Infinity without a limit, undefined when the log
   * does not tell. A limit in bytes is not regarded.
   *
   * - A topic MUST keep records for at least the retention time that it was created with.
   */
  keptMs(topic: string): Promise<number | undefined>;

  /** Returns for each partition the number of records that the group has not acknowledged. */
  lag(group: string, topic: string): Promise<PartitionLag[]>;

  /**
   * Rejects with UNAVAILABLE when the log does not answer within `timeoutMs`.
   *
   * - ping MUST resolve when the log answers.
   */
  ping(timeoutMs: number): Promise<void>;

  /**
   * Stops every consumption and tail of this log and releases all resources.
   *
   * - close MUST wait for running handlers.
   */
  close(): Promise<void>;
}

export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  /** 'delete' keeps records for `retentionMs`. 'compact' also keeps the newest record of each key, whatever its age. */
  readonly cleanup: 'delete' | 'compact';
  /** Retention time in milliseconds. */
  readonly retentionMs: number;
}

export interface OutgoingRecord {
  /** Chooses the partition. Records with the same key keep their order. */
  readonly key: string;
  /** Null is a tombstone: it deletes the key of a compacted topic. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. Default: the time of the append. */
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
  /** At least one record, ascending by offset. */
  readonly records: readonly LogRecord[];
  /** Aborts when the partition moves to another member or the consumption stops: the handler should finish or reject soon. */
  readonly signal: AbortSignal;
}

export interface ConsumeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /** Start of a partition on which the group has acknowledged nothing. Default 'start'. */
  readonly from?: 'start' | 'end';
  /** Maximum number of records in one batch. Default 200. */
  readonly maxBatchRecords?: number;
  readonly handler: (batch: RecordBatch) => Promise<void>;
  /** Called when a handler rejected or the connection to the log failed; both are retried. For logs and metrics. */
  readonly onError?: (error: Error) => void;
}

export interface Consumption {
  /**
   * Stops fetching. Idempotent.
   *
   * - stop MUST abort the signal, wait for running handlers and acknowledge the batches that they finished.
   */
  stop(): Promise<void>;
}

export type TailStart =
  | 'start'
  | 'end'
  | { readonly timeMs: number }
  /** The next offset to deliver, by topic and partition. */
  | { readonly positions: readonly Position[] };

export interface TailOptions {
  readonly topics: readonly string[];
  readonly from: TailStart;
  /** Receives records of one partition, ascending by offset. */
  readonly onRecords: (records: readonly LogRecord[]) => void | Promise<void>;
  /**
   * Called when a partition's next offset has moved past offsets without a record, after `onRecords` for the records
   * before it: a compacted record, a marker of a transaction, a record of an aborted one.
   */
  readonly onPosition?: (position: Position) => void;
  /** Called when a topic has more partitions than before, with their new number. */
  readonly onPartitions?: (topic: string, partitions: number) => void;
  /** Called with an error that the tail recovers from (a moved leader, an unreachable broker). For logs and metrics. */
  readonly onTrouble?: (error: Error) => void;
  /** Called once when the tail ended without being stopped. */
  readonly onEnd?: (error: Error) => void;
}

export interface Tail {
  /** The first offset to deliver, by topic and partition. */
  readonly startedAt: readonly Position[];
  /** After stop resolved, onRecords MUST NOT be called again; stopping twice MUST be one stop. */
  stop(): Promise<void>;
}

export interface ReadOptions {
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  /** First offset that is not read. */
  readonly toOffset: number;
  readonly maxRecords: number;
}

export interface PartitionEnds {
  readonly partition: number;
  /** First offset held. */
  readonly start: number;
  /** Offset of the next record. */
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
