import type { LiveStream } from '@tidegate/bff';
import { createMessageParser } from '@tidegate/core';
import type { EventLog, LogRecord, Tail } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import { parseChange, type Change, type StreamParser } from './change.ts';
import { History } from './history.ts';
import type { LiveMetrics } from '../metrics.ts';
import type { Positions } from './positions.ts';
import { VersionFilter } from './version-filter.ts';

export interface StreamFeedOptions {
  readonly stream: LiveStream;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  readonly historyBytes: number;
  /** How many of each partition's newest records fill the history at start. */
  readonly fillRecords: number;
  /** Called for each change in order; synchronous, so that the feed is its own clock. */
  readonly onChange: (change: Change, positions: Positions) => void;
  /** Called after the last of the changes that came together. */
  readonly onChangesEnd: () => void;
  /** Called when the tail ended for good: nothing flows any more. */
  readonly onEnd: (error: Error) => void;
}

/** Keys whose newest version is remembered to drop repeats: about 100 bytes each. */
const MAX_TRACKED_KEYS = 200_000;

/** How far after its original a repeat may come. */
const REPEAT_MARGIN_RECORDS = 200;

/** One stream in this process: its single tail, its history, and how far it has come. */
export class StreamFeed {
  readonly history: History;
  readonly #options: StreamFeedOptions;
  readonly #parse: StreamParser;
  readonly #versions = new VersionFilter(MAX_TRACKED_KEYS);
  readonly #waiting = new Set<{ reached: () => boolean; resolve: () => void }>();
  #positions: number[] = [];
  #seq = 0;
  #epoch = '';
  #tail: Tail | undefined;

  constructor(options: StreamFeedOptions) {
    this.#options = options;
    this.history = new History(options.historyBytes);
    this.#parse = createMessageParser([options.stream.definition]);
  }

  get topic(): string {
    return this.#options.stream.definition.topic.name;
  }

  get epoch(): string {
    return this.#epoch;
  }

  /** The sequence number of the newest change. */
  get seq(): number {
    return this.#seq;
  }

  get positions(): Positions {
    return this.#positions;
  }

  get partitions(): number {
    return this.#positions.length;
  }

  /** The newest version of a key; undefined when it has not been seen for long. */
  newestVersion(key: string): number | undefined {
    return this.#versions.newest(key);
  }

  /** Resolves when the history is filled and the tail is at what was the end when it was called. */
  async start(signal: AbortSignal): Promise<void> {
    const { log, fillRecords } = this.#options;
    this.#epoch = await log.epoch();
    const ends = await log.ends(this.topic);
    this.#positions = Array.from({ length: ends.length }, () => 0);
    for (const { partition, start, end } of ends) {
      const filledFrom = Math.max(start, end - fillRecords);
      this.#positions[partition] = filledFrom;
      // A repeat near the beginning has its original before it, unseen here: a replay takes that part from the log,
      // with what came before.
      const margin = Math.min(REPEAT_MARGIN_RECORDS, Math.floor(fillRecords / 2));
      this.history.begin(partition, filledFrom === start ? start : Math.min(end, filledFrom + margin));
    }
    const from = this.#positions.map((offset, partition) => ({ topic: this.topic, partition, offset }));
    this.#tail = await log.tail({
      topics: [this.topic],
      from: { positions: from },
      onRecords: (records) => this.#take(records),
      onTrouble: (error) =>
        this.#options.logger.warn(
          { err: error, topic: this.topic },
          'the live tail has trouble and goes on trying',
        ),
      onEnd: (error) => this.#options.onEnd(error),
    });
    await this.reached(new Map(ends.map(({ partition, end }) => [partition, end])), signal);
  }

  /** Resolves when the feed has come at least this far; rejects with the signal's reason. */
  reached(positions: ReadonlyMap<number, number>, signal: AbortSignal): Promise<void> {
    const reached = (): boolean =>
      [...positions].every(([partition, position]) => (this.#positions[partition] ?? 0) >= position);
    if (reached()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        reject(signal.reason as Error);
      };
      const waiter = {
        reached,
        resolve: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /**
   * Parses a record that was read again from the log; undefined for what is no change. That one of them is malformed
   * was said by the tail that met it first: a resume goes on across it.
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

  #take(records: readonly LogRecord[]): void {
    for (const record of records) this.#takeOne(record);
    this.#options.onChangesEnd();
    this.#wake();
  }

  #takeOne(record: LogRecord): void {
    // A tail may repeat a record after a leader moved; an offset is seen once.
    if (record.offset < (this.#positions[record.partition] ?? 0)) return;
    this.#positions[record.partition] = record.offset + 1;
    const parsed = this.#parseOrSkip(record);
    if (!parsed) return;
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
    this.history.push(change);
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

  #wake(): void {
    for (const waiter of this.#waiting) {
      if (!waiter.reached()) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
