import { createRequire } from 'node:module';
import { TidegateError } from '@tidegate/core';
import {
  Kafka,
  logLevel,
  Partitioners,
  type Admin,
  type CompressionTypes,
  type Consumer,
  type Message,
  type Producer,
  type SASLOptions,
} from 'kafkajs';
import type { EventLog, TopicSpec } from './event-log.ts';
import { endStoppedFetchersOfKafkajs } from './kafka/end-stopped-fetchers.ts';
import { KafkaEventLog } from './kafka/event-log.ts';
import { compressionAttribute } from './kafka/compression.ts';
import { addCodecsToKafkajs } from './kafka/kafkajs-codecs.ts';
import { logKafkajs } from './kafka/log-kafkajs.ts';
import { markAbortedRecordsOfKafkajs } from './kafka/mark-aborted-records.ts';
import { toGroupBatch } from './kafka/group-batch.ts';
import type { GroupClient, GroupClientHooks } from './kafka/group-client.ts';
import { RenewedClient } from './kafka/renewed-client.ts';
import type { KafkaEventLogOptions } from './kafka/options.ts';
import { rotatedAtRandom } from './kafka/rotated-at-random.ts';
import { withPrefixes } from './kafka/prefixed-event-log.ts';
import { tlsOptions, tlsServerName, type KafkaLogin } from './kafka/security.ts';
import { silenceNegativeTimeoutOfKafkajs } from './kafka/silence-negative-timeout.ts';
import { topicConfig } from './kafka/topic-config.ts';
import { isForbidden, translateError } from './kafka/translate-error.ts';
import type { PartitionedRecord, WriteClient } from './kafka/write-client.ts';
import { createFetchClient, lz4, snappy, zstd } from './platformatic-kafka.ts';
import { defaultMaxRecordBytes } from './record-bytes.ts';

export { kafkaOptionsFrom, kafkaSettings, type KafkaSettings } from './kafka/settings.ts';
export type { KafkaEventLogOptions } from './kafka/options.ts';
export type { KafkaLogin, KafkaSecurity, KafkaTls } from './kafka/security.ts';

type Settings = Required<
  Pick<KafkaEventLogOptions, 'requestTimeoutMs' | 'sessionTimeoutMs' | 'compression' | 'metadataMaxAgeMs'>
> &
  Pick<KafkaEventLogOptions, 'rack'>;

const MAX_FETCH_WAIT_MS = 250;
const REBALANCE_TIMEOUT_MS = 30_000;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
const PARTITIONS_AT_A_TIME = 64;
const TOPIC_RESOURCE = 2;
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 };

/**
 * Returns an event log on Kafka, for production. It connects when it is first used; `ping` tells whether the brokers
 * can be reached.
 *
 * @example
 * ```ts
 * import { createKafkaEventLog } from '@tidegate/event-log/kafka';
 * import { silentLogger } from '@tidegate/runtime/telemetry';
 *
 * const log = createKafkaEventLog({
 *   brokers: ['127.0.0.1:9092'],
 *   clientId: 'measurements',
 *   logger: silentLogger,
 * });
 * await log.ping(2_000);
 * await log.close();
 * ```
 */
export function createKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  silenceNegativeTimeoutOfKafkajs();
  const load = createRequire(import.meta.url);
  endStoppedFetchersOfKafkajs(load);
  markAbortedRecordsOfKafkajs(load);
  addCodecsToKafkajs(load, { snappy, lz4, zstd });
  const { requestTimeoutMs = 5_000, sessionTimeoutMs = 10_000, metadataMaxAgeMs = 10_000 } = options;
  const { compression = 'none', rack } = options;
  const kafka = createKafka(options, requestTimeoutMs);
  const { brokers, clientId, tls, login } = options;
  const fetching = { brokers, clientId, tls, login, requestTimeoutMs };
  const log = new KafkaEventLog(
    new KafkajsWriteClient(kafka, {
      requestTimeoutMs,
      sessionTimeoutMs,
      metadataMaxAgeMs,
      compression,
      rack,
    }),
    () => createFetchClient(fetching),
    {
      createTopics: options.createTopics ?? true,
      metadataMaxAgeMs,
      replicationFactor: options.replicationFactor,
      maxRecordBytes: options.maxRecordBytes ?? defaultMaxRecordBytes,
    },
  );
  return withPrefixes(log, options);
}

class KafkajsWriteClient implements WriteClient {
  readonly #kafka: Kafka;
  readonly #settings: Settings;
  readonly #producer: RenewedClient<Producer>;
  readonly #admin: RenewedClient<Admin>;

  constructor(kafka: Kafka, settings: Settings) {
    this.#kafka = kafka;
    this.#settings = settings;
    this.#producer = new RenewedClient(() => createProducer(kafka), translateError);
    this.#admin = new RenewedClient(() => kafka.admin(), translateError);
  }

  async send(topic: string, records: readonly PartitionedRecord[]): Promise<ReadonlyMap<number, number>> {
    const offsets = new Map<number, number>();
    // When a leader moves to a broker that has already answered this call, kafkajs resolves without having sent that
    // partition's records. A partition without an offset in the answer was not appended to: its records are sent again.
    for (let rest = records; rest.length > 0; rest = rest.filter((one) => !offsets.has(one.partition))) {
      const batch = {
        topic,
        messages: rest.map(toMessage),
        acks: -1,
        timeout: this.#settings.requestTimeoutMs,
        compression: compressionAttribute[this.#settings.compression] satisfies CompressionTypes,
      };
      const answered = await this.#producer.use(topic, async (producer) => {
        const positions = (await producer.send(batch)).filter(({ baseOffset }) => Number(baseOffset) >= 0);
        // The client does not know these partitions yet. It is replaced, and the next one does.
        if (positions.length === 0) throw new TidegateError('UNAVAILABLE', 'Kafka appended nothing.');
        return positions;
      });
      for (const { partition, baseOffset } of answered) offsets.set(partition, Number(baseOffset));
    }
    return offsets;
  }

  async createTopics(specs: readonly TopicSpec[], replicationFactor: number): Promise<void> {
    for (const spec of specs) {
      const topic = {
        topic: spec.name,
        numPartitions: spec.partitions,
        replicationFactor,
        configEntries: topicConfig(spec, replicationFactor),
      };
      await this.#admin.use(spec.name, (admin) =>
        admin.createTopics({ topics: [topic], waitForLeaders: false }),
      );
    }
  }

  async configOf(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
    const resource = { type: TOPIC_RESOURCE, name: topic, configNames: [...names] };
    try {
      const asked = { resources: [resource], includeSynonyms: false };
      const { resources } = await this.#admin.use(topic, (admin) => admin.describeConfigs(asked));
      const entries = resources.flatMap(({ configEntries }) => configEntries);
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    } catch (error) {
      if (!isForbidden(error)) throw error;
      return undefined;
    }
  }

  async acknowledged(groupId: string, topic: string): Promise<ReadonlyMap<number, number>> {
    const found = await this.#admin.use(groupId, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    const partitions = found.flatMap((one) => one.partitions);
    return new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  }

  createGroupClient(groupId: string): GroupClient {
    return new KafkajsGroupClient(createConsumer(this.#kafka, groupId, this.#settings));
  }

  async close(): Promise<void> {
    await Promise.all([this.#producer.close(), this.#admin.close()]);
  }
}

class KafkajsGroupClient implements GroupClient {
  readonly #consumer: Consumer;

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  async start(topics: readonly string[], hooks: GroupClientHooks): Promise<void> {
    this.#listen(hooks);
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_A_TIME,
      eachBatch: (payload) => hooks.onBatch(toGroupBatch(payload)),
    });
  }

  commit(topic: string, partition: number, nextOffset: number): Promise<void> {
    return this.#consumer.commitOffsets([{ topic, partition, offset: String(nextOffset) }]);
  }

  seek(topic: string, partition: number, offset: number): void {
    this.#consumer.seek({ topic, partition, offset: String(offset) });
  }

  pause(topic: string, partition: number): void {
    this.#consumer.pause([{ topic, partitions: [partition] }]);
  }

  resume(topic: string, partition: number): void {
    this.#consumer.resume([{ topic, partitions: [partition] }]);
  }

  disconnect(): Promise<void> {
    return this.#consumer.disconnect();
  }

  #listen({ onJoin, onActivity, onRequestTimeout, onCrash }: GroupClientHooks): void {
    const { CRASH, GROUP_JOIN, HEARTBEAT, REBALANCING, REQUEST_TIMEOUT } = this.#consumer.events;
    this.#consumer.on(CRASH, ({ payload }) => onCrash(payload.error));
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      onActivity();
      onJoin(payload.memberId, payload.memberAssignment);
    });
    this.#consumer.on(HEARTBEAT, onActivity);
    this.#consumer.on(REBALANCING, onActivity);
    this.#consumer.on(REQUEST_TIMEOUT, ({ payload }) =>
      onRequestTimeout(new Error(`Broker ${payload.broker} did not answer to ${payload.apiName}.`)),
    );
  }
}

function toMessage({ partition, record }: PartitionedRecord): Message {
  return {
    partition,
    key: record.key,
    value: record.value,
    headers: { ...record.headers },
    timestamp: String(record.timestampMs ?? Date.now()),
  };
}

function createKafka(options: KafkaEventLogOptions, requestTimeoutMs: number): Kafka {
  const { brokers, clientId, logger, login } = options;
  const tls = tlsOptions(options);
  const servername = tlsServerName(options);
  return new Kafka({
    // kafkajs asks the first broker first: a random one, because the same one may be silent.
    brokers: () => rotatedAtRandom(brokers),
    clientId,
    ...(tls && { ssl: { ...tls, ...(servername !== undefined && { servername }) } }),
    ...(login && { sasl: saslOf(login) }),
    connectionTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Short: a failure that lasts longer is retried with a new client (`renewed-client.ts`).
    retry,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => logKafkajs(logger, entry.level === logLevel.ERROR, entry.log),
  });
}

function saslOf(login: KafkaLogin): SASLOptions {
  if (login.mechanism === 'OAUTHBEARER') {
    const { token } = login;
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
  }
  const { username, password } = login;
  // The same user and password, whichever of the three it is.
  const mechanism = login.mechanism.toLowerCase() as 'plain';
  return { mechanism, username, password };
}

function createProducer(kafka: Kafka): Producer {
  return kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    // The idempotent mode can fail for good (issue 598); one request at a time keeps the order without it.
    idempotent: false,
    maxInFlightRequests: 1,
  });
}

function createConsumer(
  kafka: Kafka,
  groupId: string,
  { sessionTimeoutMs: sessionTimeout, metadataMaxAgeMs: metadataMaxAge, rack }: Settings,
): Consumer {
  return kafka.consumer({
    groupId,
    ...(rack !== undefined && { rackId: rack }),
    allowAutoTopicCreation: false,
    sessionTimeout,
    heartbeatInterval: sessionTimeout / 5,
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    metadataMaxAge,
    maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    // After these retries it crashes, and `consumption.ts` replaces it. kafkajs's own restart is not ended by a stop
    // that comes while it is under way: it would leave a member that keeps its partitions and that nothing can stop.
    retry: { ...retry, restartOnFailure: async () => false },
  });
}
