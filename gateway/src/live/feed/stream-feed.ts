import type { LiveStream } from '@tidegate/bff';
import { createMessageParser, TidegateError } from '@tidegate/core';
import { partitionFor, type EventLog, type LogRecord, type Tail } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { LiveMetrics } from '../metrics.ts';
import { parseChange, type Change, type StreamParser } from './change.ts';
import { History } from './history.ts';
import type { Positions } from './positions.ts';
import { VersionFilter } from './version-filter.ts';

export interface StreamFeedOptions {
  readonly stream: LiveStream;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  /** Memory budget of the history, in bytes. */
  readonly historyBytes: number;
  /** Age at which changes leave the history, in milliseconds. */
  readonly historyMs: number;
  /** Number of newest records per partition that fill the history at start. */
  readonly fillRecords: number;
  /** Maximum age of a cursor in milliseconds: the topic has to keep records for as long. */
  readonly resumeWindowMs: number;
  /** Called for each change in order. Synchronous: `seq` and `positions` are exact during the call. */
  readonly onChange: (change: Change, positions: Positions) => void;
  /** Called after the last change of each batch of records. */
  readonly onBatchEnd: () => void;
  /** Called when the tail has ended for good: no further change will come. */
  readonly onEnd: (error: Error) => void;
}

/** Maximum keys tracked for deduplication; each takes about 100 bytes. */
const MAX_TRACKED_KEYS = 200_000;

/** Maximum distance in records between a record and its repeat. */
const REPEAT_MARGIN_RECORDS = 200;

/**
 * The feed of one stream in this process: one tail of the log, the history, and the positions reached. A malformed record
 * is counted, logged and skipped.
 */
export class StreamFeed {
  readonly #options: StreamFeedOptions;
  readonly #parse: StreamParser;
  #history: History;
  #versions = new VersionFilter(MAX_TRACKED_KEYS);
  readonly #waiters = new Set<{ isReached: () => boolean; resolve: () => void }>();
  #positions: number[] = [];
  /** Every partition. */
  #partitions: readonly number[] = [];
  /** True while every key was found in the partition that the stream's partitioner gives it. */
  #isPartitionerKept = false;
  #seq = 0;
  #epoch = '';
  #tail: Tail | undefined;

  constructor(options: StreamFeedOptions) {
    this.#options = options;
    this.#history = this.#createHistory();
    this.#parse = createMessageParser([options.stream.definition]);
  }

  get topic(): string {
    return this.#options.stream.definition.topic.name;
  }

  /** Newest changes since the feed was started. */
  get history(): History {
    return this.#history;
  }

  /** Epoch of the topic. Positions of another epoch name other records. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Sequence number of the newest change. */
  get seq(): number {
    return this.#seq;
  }

  get positions(): Positions {
    return this.#positions;
  }

  /** Partitions that the changes of a key can come from, or of any key. Grows with the topic. */
  partitionsOf(key: string | undefined): readonly number[] {
    if (key === undefined || !this.#isPartitionerKept) return this.#partitions;
    return [partitionFor(key, this.#positions.length)];
  }

  /** Newest version of a key; undefined when the key is not tracked. */
  newestVersion(key: string): number | undefined {
    return this.#versions.newest(key);
  }

  /**
   * Fills the history and starts the tail. Resolves when the tail has reached the log's end as of this call. May be
   * called again when the tail has ended or this has rejected: the feed then knows nothing of before.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { log, fillRecords } = this.#options;
    await this.#tail?.stop();
    this.#tail = undefined;
    this.#epoch = await log.epoch(this.topic);
    await this.#requireResumeWindow();
    const ends = await log.ends(this.topic);
    this.#history = this.#createHistory();
    this.#versions = new VersionFilter(MAX_TRACKED_KEYS);
    this.#positions = Array.from({ length: ends.length }, () => 0);
    this.#partitions = [...this.#positions.keys()];
    this.#isPartitionerKept = this.#options.stream.partitioner !== undefined;
    for (const { partition, start, end } of ends) {
      const filledFrom = Math.max(start, end - fillRecords);
      this.#positions[partition] = filledFrom;
      // The first records may be repeats of records before them, which the feed has not seen. A replay reads that
      // part from the log, together with the records before it.
      const margin = Math.min(REPEAT_MARGIN_RECORDS, Math.floor(fillRecords / 2));
      this.#history.begin(partition, filledFrom === start ? start : Math.min(end, filledFrom + margin));
    }
    const from = this.#positions.map((offset, partition) => ({ topic: this.topic, partition, offset }));
    const ended = new AbortController();
    let isFilled = false;
    this.#tail = await log.tail({
      topics: [this.topic],
      from: { positions: from },
      onRecords: (records) => this.#dispatch(records),
      onPosition: ({ partition, offset }) => this.#reach(partition, offset),
      onPartitions: (_topic, partitions) => this.#grow(partitions),
      onTrouble: (error) =>
        this.#options.logger.warn({ err: error, topic: this.topic }, 'the live tail has failed and retries'),
      onEnd: (error) => {
        if (isFilled) this.#options.onEnd(error);
        else ended.abort(error);
      },
    });
    if (signal.aborted) await this.#tail.stop();
    signal.throwIfAborted();
    const goal = new Map(ends.map(({ partition, end }) => [partition, end]));
    await this.whenReached(goal, AbortSignal.any([signal, ended.signal]));
    isFilled = true;
  }

  /** Compaction or deletion within the window would skip changes of a resume without a word. */
  async #requireResumeWindow(): Promise<void> {
    const { log, logger, resumeWindowMs } = this.#options;
    const { topic } = this;
    const keptMs = await log.keptMs(topic);
    if (keptMs === undefined)
      return logger.warn(
        { topic },
        'the topic does not tell how long it keeps records: no right to read its configuration',
      );
    if (keptMs >= resumeWindowMs) return;
    throw new TidegateError(
      'CONFIG_INVALID',
      `Topic ${topic} keeps every record for ${keptMs} ms only, and cursors are valid for ${resumeWindowMs} ms. Set min.compaction.lag.ms (of a compacted topic) or retention.ms of the topic to at least that, or RESUME_WINDOW_MS to at most ${keptMs}.`,
      { details: { topic, keptMs, resumeWindowMs } },
    );
  }

  /** Resolves when the feed has reached all these positions. Rejects with the signal's reason. */
  whenReached(positions: ReadonlyMap<number, number>, signal: AbortSignal): Promise<void> {
    const isReached = (): boolean =>
      [...positions].every(([partition, position]) => (this.#positions[partition] ?? 0) >= position);
    if (isReached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason as Error);
      };
      const waiter = {
        isReached,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /**
   * Parses a record that a replay has read from the log. Returns undefined for a record that is not a change, and for
   * a malformed one: the tail has already reported it, and it must not stop a resume.
   */
  parse(record: LogRecord): Change | undefined {
    try {
      return parseChange(this.#options.stream, this.#parse, record, 0);
    } catch {
      return undefined;
    }
  }

  async stop(): Promise<void> {
    await this.#tail?.stop();
  }

  #dispatch(records: readonly LogRecord[]): void {
    for (const record of records) this.#dispatchRecord(record);
    this.#options.onBatchEnd();
    this.#resolveWaiters();
  }

  /** The log holds no record between the partition's position and this one. */
  #reach(partition: number, offset: number): void {
    if (offset <= (this.#positions[partition] ?? 0)) return;
    this.#positions[partition] = offset;
    this.#resolveWaiters();
  }

  /** Keys move to other partitions, and the records that they had stay in the old ones. */
  #grow(partitions: number): void {
    const before = this.#positions.length;
    for (let partition = before; partition < partitions; partition++) {
      this.#positions.push(0);
      this.#history.begin(partition, 0);
    }
    this.#partitions = [...this.#positions.keys()];
    this.#isPartitionerKept = false;
    const { topic } = this;
    this.#options.logger.info(
      { topic, before, partitions },
      'the topic has more partitions: all are followed',
    );
  }

  /** From the first one on, cursors hold every partition: a resume would miss the changes in an unexpected one. */
  #noteUnexpectedPartition({ topic, partition, offset }: LogRecord, key: string): void {
    const { metrics, logger } = this.#options;
    metrics.unexpectedPartitions.inc({ topic });
    this.#isPartitionerKept = false;
    logger.error(
      { topic, partition, offset, key, expected: partitionFor(key, this.#positions.length) },
      'a key is in another partition than the stream declares: its topic has grown, or a producer uses another partitioner. Cursors hold all partitions from now on; those issued before may miss changes of such keys',
    );
  }

  #dispatchRecord(record: LogRecord): void {
    // A tail may repeat a record after a change of the partition's leader; each offset is dispatched once.
    if (record.offset < (this.#positions[record.partition] ?? 0)) return;
    this.#positions[record.partition] = record.offset + 1;
    const parsed = this.#parseOrSkip(record);
    if (!parsed) return;
    if (this.#isPartitionerKept && partitionFor(parsed.key, this.#positions.length) !== record.partition)
      this.#noteUnexpectedPartition(record, parsed.key);
    const { metrics, logger } = this.#options;
    const continuity = this.#versions.admit(parsed.key, parsed.version);
    if (continuity === 'repeat') return metrics.repeatsDropped.inc({ topic: this.topic });
    const change: Change = { ...parsed, continuity };
    if (continuity === 'gap') {
      metrics.gaps.inc({ topic: this.topic });
      logger.error(
        { topic: this.topic, key: change.key, version: change.version },
        'a version is missing before this one',
      );
    }
    this.#seq = change.seq;
    this.#history.push(change);
    this.#options.onChange(change, this.#positions);
  }

  #parseOrSkip(record: LogRecord): Change | undefined {
    try {
      return parseChange(this.#options.stream, this.#parse, record, this.#seq + 1);
    } catch (error) {
      const { topic, partition, offset } = record;
      this.#options.metrics.malformed.inc({ topic });
      this.#options.logger.error(
        { topic, partition, offset, err: error },
        'skipped a record that is not a change',
      );
      return undefined;
    }
  }

  #resolveWaiters(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.isReached()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #createHistory(): History {
    const { historyBytes: maxBytes, historyMs: maxAgeMs } = this.#options;
    return new History({ maxBytes, maxAgeMs });
  }
}
