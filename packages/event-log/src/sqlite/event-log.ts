import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@tidegate/runtime/telemetry';
import type {
  ConsumeOptions,
  Consumption,
  EventLog,
  LogRecord,
  OutgoingRecord,
  PartitionEnds,
  PartitionLag,
  PartitionOffset,
  Position,
  ReadOptions,
  Tail,
  TailOptions,
  TopicSpec,
} from '../event-log.ts';
import { LogLifetime } from '../log-lifetime.ts';
import { assertRecordSizes } from '../record-bytes.ts';
import { startPosition } from '../start-position.ts';
import { positionOutOfRange } from '../topic-errors.ts';
import { AppendQueue } from './append-queue.ts';
import { SqliteConsumption } from './consumption.ts';
import { GroupStore } from './group-store.ts';
import { Incarnation } from './incarnation.ts';
import { RecordStore } from './record-store.ts';
import { createSchema } from './schema.ts';
import type { SqlFile } from './sql-file.ts';
import { Sweep } from './sweep.ts';
import { SqliteTail } from './tail.ts';
import { TopicStore, type StoredTopic } from './topic-store.ts';
import { WakeUps } from './wake-ups.ts';

/** The options of `createSqliteEventLog` with its defaults applied. */
export interface SqliteEventLogSettings {
  readonly logger: Logger;
  /** Path of the file; undefined for a log in memory. */
  readonly path: string | undefined;
  readonly pollMs: number;
  readonly maxRecordBytes: number;
  readonly sweepIntervalMs: number;
  readonly maxBytes: number;
  readonly heartbeatMs: number;
  readonly sessionTimeoutMs: number;
}

/** A longer read is divided, and the event loop turns between its slices. */
const READ_SLICE_RECORDS = 200;
const READ_SLICE_BYTES = 4 * 1024 * 1024;

/** The event log on one open SQLite file. */
export class SqliteEventLog implements EventLog {
  readonly #file: SqlFile;
  readonly #settings: SqliteEventLogSettings;
  readonly #lifetime = new LogLifetime();
  readonly #incarnation: Incarnation;
  readonly #topics: TopicStore;
  readonly #records: RecordStore;
  readonly #groups: GroupStore;
  readonly #wakeUps: WakeUps;
  readonly #queue: AppendQueue;
  readonly #sweep: Sweep;
  readonly #localRebalances = new Set<() => void>();

  constructor(file: SqlFile, settings: SqliteEventLogSettings) {
    this.#file = file;
    this.#settings = settings;
    createSchema(file);
    this.#incarnation = new Incarnation({ file, path: settings.path, logger: settings.logger });
    this.#topics = new TopicStore(file);
    this.#records = new RecordStore(file, this.#topics);
    this.#groups = new GroupStore(file, settings.sessionTimeoutMs);
    this.#wakeUps = new WakeUps({ file, path: settings.path, pollMs: settings.pollMs });
    this.#queue = new AppendQueue({
      file,
      records: this.#records,
      onCommitted: (positions) => {
        this.#incarnation.appended();
        this.#wakeUps.appended(positions);
      },
    });
    const { sweepIntervalMs: intervalMs, maxBytes, logger } = settings;
    const onRun = (): void => this.#wakeUps.poll();
    this.#sweep = new Sweep(file, this.#topics, { intervalMs, maxBytes, logger, onRun }).start();
  }

  async epoch(topic: string): Promise<string> {
    this.#lifetime.assertOpen();
    this.#topics.topic(topic);
    return this.#incarnation.epoch;
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#lifetime.assertOpen();
    this.#topics.ensure(specs);
  }

  async keptMs(name: string): Promise<number> {
    return this.#topic(name).retentionMs;
  }

  async append(name: string, records: readonly OutgoingRecord[]): Promise<Position[]> {
    const topic = this.#topic(name);
    assertRecordSizes(name, records, this.#settings.maxRecordBytes);
    return records.length === 0 ? [] : this.#queue.append(topic, records);
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    const topics = options.topics.map((name) => this.#topic(name));
    const dependencies = {
      records: this.#records,
      groups: this.#groups,
      wakeUps: this.#wakeUps,
      localRebalances: this.#localRebalances,
      heartbeatMs: this.#settings.heartbeatMs,
    };
    return this.#lifetime.own(new SqliteConsumption(dependencies, topics, options).start());
  }

  async tail(options: TailOptions): Promise<Tail> {
    const topics = new Map(options.topics.map((name) => [name, this.#topic(name)]));
    const startedAt = [...topics.values()].flatMap((topic) =>
      this.#topics
        .partitionEnds(topic)
        .map((ends) =>
          startPosition(topic.name, ends, options.from, (timeMs) =>
            this.#offsetAt(topic, ends.partition, timeMs),
          ),
        ),
    );
    const dependencies = { records: this.#records, wakeUps: this.#wakeUps };
    const tail = new SqliteTail(dependencies, topics, startedAt, options).start();
    return { startedAt, ...this.#lifetime.own(tail) };
  }

  async read(options: ReadOptions): Promise<LogRecord[]> {
    const { topic: name, partition, fromOffset, toOffset, maxRecords } = options;
    const records: LogRecord[] = [];
    for (let next = fromOffset; ;) {
      const limits = {
        maxRecords: Math.min(READ_SLICE_RECORDS, maxRecords - records.length),
        maxBytes: READ_SLICE_BYTES,
        toOffset,
      };
      const slice = this.#records.read(this.#topic(name), partition, next, limits);
      if (next < slice.ends.start) {
        throw positionOutOfRange({ topic: name, partition, offset: fromOffset }, slice.ends);
      }
      records.push(...slice.records);
      if (!slice.more || records.length >= maxRecords) return records;
      next = slice.nextOffset;
      await nextTurn();
    }
  }

  async ends(name: string): Promise<PartitionEnds[]> {
    return this.#topics.partitionEnds(this.#topic(name));
  }

  async offsetsAt(name: string, timeMs: number): Promise<PartitionOffset[]> {
    const topic = this.#topic(name);
    return this.#topics
      .partitionEnds(topic)
      .map(({ partition }) => ({ partition, offset: this.#offsetAt(topic, partition, timeMs) }));
  }

  async lag(group: string, name: string): Promise<PartitionLag[]> {
    const topic = this.#topic(name);
    return this.#topics.partitionEnds(topic).map(({ partition, start, end }) => {
      const acknowledged = this.#groups.checkpoint(group, topic, partition) ?? start;
      return { partition, lag: end - Math.max(acknowledged, start) };
    });
  }

  async ping(): Promise<void> {
    this.#lifetime.assertOpen();
    this.#topics.all();
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#release());
  }

  async #release(): Promise<void> {
    this.#sweep.stop();
    this.#queue.flush();
    await this.#lifetime.stopAll();
    this.#wakeUps.close();
    this.#incarnation.close();
    this.#file.close();
  }

  #topic(name: string): StoredTopic {
    this.#lifetime.assertOpen();
    return this.#topics.topic(name);
  }

  #offsetAt(topic: StoredTopic, partition: number, timeMs: number): number {
    return this.#records.firstOffsetAt(topic, partition, timeMs) ?? this.#topics.endsOf(topic, partition).end;
  }
}
