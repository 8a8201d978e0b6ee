import { createRequire } from 'node:module';
import { TidegateError } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import {
  Kafka,
  logLevel,
  Partitioners,
  type Consumer,
  type EachBatchPayload,
  type KafkaMessage,
  type LogEntry,
  type Message,
  type Producer,
} from 'kafkajs';
import type { EventLog } from './event-log.ts';
import type { PartitionedRecord } from './kafka/append-queue.ts';
import { endStoppedFetchersOfKafkajs } from './kafka/end-stopped-fetchers.ts';
import { createEventLogOnKafka, type KafkaWriting } from './kafka/event-log-on-kafka.ts';
import { createRenewed } from './kafka/renewed.ts';
import { silenceNegativeTimeoutOfKafkajs } from './kafka/silence-negative-timeout.ts';
import { topicConfig } from './kafka/topic-config.ts';
import { createFetchClient } from './platformatic-kafka.ts';
import { defaultMaxRecordBytes } from './record-bytes.ts';

export type { Consumer as GroupConsumer, EachBatchPayload as GroupBatch, KafkaMessage as GroupMessage };

export interface KafkaEventLogOptions {
  /** Bootstrap addresses, `host:port`. */
  readonly brokers: readonly string[];
  /** How this process is named in the brokers' logs and quotas. */
  readonly clientId: string;
  readonly logger: Logger;
  /** Copies of topics that this log creates. Default: 3, or the number of brokers if that is smaller. */
  readonly replicationFactor?: number;
  /**
   * Topics whose re-creation makes a new epoch; every process that exchanges cursors must name the same ones. The
   * cluster's own re-creation always does. Default: none.
   */
  readonly epochTopics?: readonly string[];
  /** Default 1,000,000: below the brokers' own default limit. */
  readonly maxRecordBytes?: number;
  /** A request without an answer for so long has failed. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** A group member that was not heard of for so long loses its partitions. Default 10,000. */
  readonly sessionTimeoutMs?: number;
}

const MAX_FETCH_WAIT_MS = 250;
const METADATA_MAX_AGE_MS = 10_000;
const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 3 };
const MAX_BYTES_PER_PARTITION = 1024 * 1024;

/** The production event log. Connects when it is first used; `ping` says whether the brokers can be reached. */
export function createKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  silenceNegativeTimeoutOfKafkajs();
  endStoppedFetchersOfKafkajs(createRequire(import.meta.url));
  const requestTimeoutMs = options.requestTimeoutMs ?? 5_000;
  const client = { brokers: options.brokers, clientId: options.clientId, requestTimeoutMs };
  return createEventLogOnKafka(createWriting(options, requestTimeoutMs), () => createFetchClient(client), {
    replicationFactor: options.replicationFactor,
    epochTopics: options.epochTopics ?? [],
    maxRecordBytes: options.maxRecordBytes ?? defaultMaxRecordBytes,
  });
}

function createWriting(options: KafkaEventLogOptions, requestTimeoutMs: number): KafkaWriting {
  const kafka = new Kafka({
    // kafkajs asks the first broker first: not always the same one, which may be the one that is silent.
    brokers: () => shuffled(options.brokers),
    clientId: options.clientId,
    connectionTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // Short: what lasts longer is tried again with a new client (`renewed.ts`).
    retry,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => log(options.logger, entry),
  });
  const producer = createRenewed(() => createProducer(kafka), translate);
  const admin = createRenewed(() => kafka.admin(), translate);

  return {
    async send(topic, records) {
      const offsets = new Map<number, number>();
      // When a leader moves to a broker that has already answered this call, kafkajs resolves without having sent
      // that partition's records. What has no offset was not appended, whatever it says.
      for (let rest = records; rest.length > 0; rest = rest.filter((one) => !offsets.has(one.partition))) {
        const batch = { topic, messages: rest.map(toMessage), acks: -1, timeout: requestTimeoutMs };
        const answer = await producer.use((connected) => connected.send(batch));
        const answered = answer.filter(({ baseOffset }) => Number(baseOffset) >= 0);
        if (answered.length === 0) throw new TidegateError('UNAVAILABLE', 'Kafka appended nothing.');
        for (const { partition, baseOffset } of answered) offsets.set(partition, Number(baseOffset));
      }
      return offsets;
    },
    async createTopics(specs, replicationFactor) {
      for (const spec of specs) {
        const topic = {
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor,
          configEntries: topicConfig(spec, replicationFactor),
        };
        await admin.use((connected) => connected.createTopics({ topics: [topic], waitForLeaders: false }));
      }
    },
    async acknowledged(groupId, topic) {
      const found = await admin.use((connected) => connected.fetchOffsets({ groupId, topics: [topic] }));
      const partitions = found.flatMap((one) => one.partitions);
      return new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    },
    createConsumer: (groupId) => createConsumer(kafka, groupId, options.sessionTimeoutMs ?? 10_000),
    async close() {
      await Promise.all([producer.close(), admin.close()]);
    },
  };
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

function createProducer(kafka: Kafka): Producer {
  return kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    // Its idempotent mode can go dead for good (issue 598); one request at a time keeps the order without it.
    idempotent: false,
    maxInFlightRequests: 1,
  });
}

function createConsumer(kafka: Kafka, groupId: string, sessionTimeout: number): Consumer {
  return kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    sessionTimeout,
    heartbeatInterval: sessionTimeout / 5,
    rebalanceTimeout: 30_000,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
    // After these it crashes and `consumption.ts` replaces it. Its own restart is not ended by a stop that comes while
    // it is under way: that would leave a member which nobody holds and which keeps its partitions.
    retry: { ...retry, restartOnFailure: async () => false },
  });
}

/** The border: kafkajs's errors, by their protocol type, in the port's codes. */
function translate(error: unknown): TidegateError {
  const types = protocolTypes(error);
  if (types.includes('UNKNOWN_TOPIC_OR_PARTITION')) {
    return new TidegateError('NOT_FOUND', 'Kafka does not know the topic.', { cause: error });
  }
  if (types.includes('MESSAGE_TOO_LARGE') || types.includes('RECORD_LIST_TOO_LARGE')) {
    return new TidegateError('PAYLOAD_TOO_LARGE', 'A record is larger than the brokers allow.', {
      cause: error,
    });
  }
  return new TidegateError('UNAVAILABLE', 'Kafka cannot be reached.', { cause: error });
}

function shuffled(brokers: readonly string[]): string[] {
  const from = Math.floor(Math.random() * brokers.length);
  return [...brokers.slice(from), ...brokers.slice(0, from)];
}

function protocolTypes(error: unknown): string[] {
  const { type, cause, errors } = (error ?? {}) as { type?: string; cause?: unknown; errors?: unknown[] };
  const inner = [...(errors ?? []), ...(cause === undefined ? [] : [cause])];
  return [...(type === undefined ? [] : [type]), ...inner.flatMap(protocolTypes)];
}

function log(logger: Logger, { level, log: { message, ...fields } }: LogEntry): void {
  const { timestamp: _, logger: source, stack: __, ...rest } = fields;
  const entry = { source, ...rest };
  // A rebalance or a moved leader is an error to kafkajs and everyday business to us: what matters comes by `onError`.
  // "Topic creation errors" is the topic being there already, for another process was faster; other reasons reject.
  if (level === logLevel.ERROR && fields['error'] !== 'Topic creation errors') logger.warn(entry, message);
  else logger.debug(entry, message);
}
