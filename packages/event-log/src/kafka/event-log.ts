import { TidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
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
  TailStart,
  TopicSpec,
} from '../event-log.ts';
import { LogLifetime } from '../log-lifetime.ts';
import { assertRecordSizes } from '../record-bytes.ts';
import { startPosition } from '../start-position.ts';
import { missingTopics } from '../topic-errors.ts';
import { assertTopicSpec } from '../topic-spec.ts';
import { answerWithin } from './answer-within.ts';
import { AppendQueue } from './append-queue.ts';
import { KafkaConsumption } from './consumption.ts';
import type { FetchClient, OffsetQuery, TopicMetadata } from './fetch-client.ts';
import { LookUps } from './look-ups.ts';
import { readRange } from './read-range.ts';
import { KafkaTail } from './tail.ts';
import { keptMsOf, retentionConfig } from './topic-config.ts';
import type { PartitionedRecord, WriteClient } from './write-client.ts';

/** The options of `createKafkaEventLog` with its defaults applied. */
export interface KafkaEventLogSettings {
  /** False: a missing topic is an error. */
  readonly createTopics: boolean;
  /** Age in milliseconds at which topics are looked at again. */
  readonly metadataMaxAgeMs: number;
  /** Undefined: 3, or the number of brokers if that is smaller. */
  readonly replicationFactor: number | undefined;
  readonly maxRecordBytes: number;
}

const DEFAULT_REPLICATION_FACTOR = 3;
const untilServedRetries = { attempts: 60, firstMs: 50, maxMs: 500 };

/** The event log on Kafka: kafkajs appends and consumes in groups, the fetch client answers look-ups and tails. */
export class KafkaEventLog implements EventLog {
  readonly #writeClient: WriteClient;
  readonly #createFetchClient: () => FetchClient;
  readonly #settings: KafkaEventLogSettings;
  readonly #lookUps: LookUps;
  readonly #lifetime = new LogLifetime();
  readonly #queues = new Map<string, AppendQueue>();

  constructor(
    writeClient: WriteClient,
    createFetchClient: () => FetchClient,
    settings: KafkaEventLogSettings,
  ) {
    this.#writeClient = writeClient;
    this.#createFetchClient = createFetchClient;
    this.#settings = settings;
    this.#lookUps = new LookUps(createFetchClient);
  }

  async epoch(name: string): Promise<string> {
    const { id } = await this.#topic(name);
    const cluster = await this.#lookUps.ask((client) => client.clusterId());
    return `${cluster}.${id}`;
  }

  async ensureTopics(specs: readonly TopicSpec[]): Promise<void> {
    this.#lifetime.assertOpen();
    for (const spec of specs) assertTopicSpec(spec);
    const missing: TopicSpec[] = [];
    for (const spec of specs) {
      const found = await this.#lookUps.once((client) => client.topic(spec.name)).catch(unlessNotFound);
      if (!found) missing.push(spec);
    }
    if (missing.length === 0) return;
    if (!this.#settings.createTopics) throw missingTopics(missing);
    const brokers = await this.#lookUps.ask((client) => client.brokerCount());
    const { replicationFactor = Math.min(DEFAULT_REPLICATION_FACTOR, brokers) } = this.#settings;
    await this.#writeClient.createTopics(missing, replicationFactor);
    for (const spec of missing) await this.#untilServed(spec.name);
  }

  async append(name: string, records: readonly OutgoingRecord[]): Promise<Position[]> {
    this.#lifetime.assertOpen();
    assertRecordSizes(name, records, this.#settings.maxRecordBytes);
    const queue = this.#queues.get(name) ?? (await this.#createQueue(name));
    this.#refreshPartitions(name, queue);
    return records.length === 0 ? [] : queue.append(records);
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    const endsAtStart = new Map<string, readonly number[]>();
    for (const name of options.topics) endsAtStart.set(name, await this.#offsets(name, 'end'));
    this.#lifetime.assertOpen();
    const dependencies = {
      endsAtStart,
      createGroupClient: () => this.#writeClient.createGroupClient(options.group),
      acknowledged: (name: string) => this.#writeClient.acknowledged(options.group, name),
      countOf: async (name: string) => (await this.#topic(name)).partitions.length,
      metadataMaxAgeMs: this.#settings.metadataMaxAgeMs,
    };
    return this.#lifetime.own(new KafkaConsumption(dependencies, options).start());
  }

  async tail(options: TailOptions): Promise<Tail> {
    const topicIds = new Map<string, string>();
    for (const name of options.topics) topicIds.set(name, (await this.#topic(name)).id);
    const startedAt: Position[] = [];
    for (const name of topicIds.keys()) startedAt.push(...(await this.#startPositions(name, options.from)));
    this.#lifetime.assertOpen();
    const tail = new KafkaTail(
      this.#createFetchClient,
      { topicIds, startedAt, metadataMaxAgeMs: this.#settings.metadataMaxAgeMs },
      options,
    ).start();
    return { startedAt, ...this.#lifetime.own(tail) };
  }

  async read(options: ReadOptions): Promise<LogRecord[]> {
    this.#lifetime.assertOpen();
    return this.#lookUps.fetch((client) => readRange(client, options));
  }

  async ends(name: string): Promise<PartitionEnds[]> {
    const [starts, ends] = [await this.#offsets(name, 'start'), await this.#offsets(name, 'end')];
    return ends.map((end, partition) => ({ partition, start: starts[partition] ?? 0, end }));
  }

  async offsetsAt(name: string, timeMs: number): Promise<PartitionOffset[]> {
    const [ends, times] = [await this.#offsets(name, 'end'), await this.#offsets(name, { timeMs })];
    return ends.map((end, partition) => ({ partition, offset: offsetOrEnd(times[partition], end) }));
  }

  async keptMs(name: string): Promise<number | undefined> {
    await this.#topic(name);
    const config = await this.#writeClient.configOf(name, retentionConfig);
    return config && keptMsOf(config);
  }

  async lag(group: string, name: string): Promise<PartitionLag[]> {
    await this.#topic(name);
    const acknowledged = await this.#writeClient.acknowledged(group, name);
    return (await this.ends(name)).map(({ partition, start, end }) => {
      const from = Math.max(acknowledged.get(partition) ?? 0, start);
      return { partition, lag: Math.max(0, end - from) };
    });
  }

  async ping(timeoutMs: number): Promise<void> {
    this.#lifetime.assertOpen();
    await answerWithin(timeoutMs, 'ping', () => this.#lookUps.once((client) => client.clusterId()));
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#release());
  }

  async #release(): Promise<void> {
    await this.#lifetime.stopAll();
    await Promise.all([...this.#queues.values()].map((queue) => queue.drain()));
    await Promise.all([this.#writeClient.close(), this.#lookUps.close()]);
  }

  async #topic(name: string): Promise<TopicMetadata> {
    this.#lifetime.assertOpen();
    return this.#lookUps.ask((client) => client.topic(name));
  }

  async #offsets(name: string, at: OffsetQuery): Promise<number[]> {
    await this.#topic(name);
    return this.#lookUps.ask((client) => client.offsets(name, at));
  }

  async #createQueue(name: string): Promise<AppendQueue> {
    const partitions = (await this.#topic(name)).partitions.length;
    // Two first appends wait for the same metadata; both must use the same queue.
    const queue =
      this.#queues.get(name) ?? new AppendQueue(name, partitions, (records) => this.#send(name, records));
    this.#queues.set(name, queue);
    return queue;
  }

  async #send(name: string, records: readonly PartitionedRecord[]): Promise<ReadonlyMap<number, number>> {
    try {
      return await this.#writeClient.send(name, records);
    } catch (error) {
      // The topic is gone, or was created again with fewer partitions: the next append asks for their number.
      if (error instanceof TidegateError && error.code === 'NOT_FOUND') this.#queues.delete(name);
      throw error;
    }
  }

  /** Partitions that were added to the topic take new records. */
  #refreshPartitions(name: string, queue: AppendQueue): void {
    if (!queue.isPartitionCountOld(this.#settings.metadataMaxAgeMs)) return;
    void this.#topic(name).then(
      ({ partitions }) => queue.setPartitions(partitions.length),
      // The next append asks again; sending reports the failure.
      () => undefined,
    );
  }

  /** A new topic takes a moment to reach every broker and elect leaders; until then metadata says NOT_FOUND. */
  #untilServed(name: string): Promise<TopicMetadata> {
    const look = async (): Promise<TopicMetadata> => {
      const found = await this.#topic(name);
      await this.#offsets(name, 'end');
      return found;
    };
    return retry(look, {
      ...untilServedRetries,
      retryable: (error) => error instanceof TidegateError && (error.code === 'NOT_FOUND' || error.retryable),
    });
  }

  async #startPositions(name: string, from: TailStart): Promise<Position[]> {
    // The end first: every record appended from here on is delivered, however long the other look-ups take.
    const ends = await this.#offsets(name, 'end');
    const starts = await this.#offsets(name, 'start');
    const times = typeof from === 'object' && 'timeMs' in from ? await this.#offsets(name, from) : [];
    return ends.map((end, partition) => {
      const range = { partition, start: starts[partition] ?? 0, end };
      return startPosition(name, range, from, () => offsetOrEnd(times[partition], end));
    });
  }
}

/** Kafka answers -1 when no record is at or after the time. */
function offsetOrEnd(offset: number | undefined, end: number): number {
  return offset === undefined || offset < 0 ? end : offset;
}

function unlessNotFound(error: unknown): undefined {
  if (error instanceof TidegateError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}
