import { TidegateError } from '@tidegate/errors';
import type { Logger } from '@tidegate/telemetry';
import {
  Kafka,
  logLevel,
  Partitioners,
  type Consumer,
  type EachBatchPayload,
  type KafkaMessage,
  type LogEntry,
  type Producer,
  type RecordMetadata,
} from 'kafkajs';
import type { EventLog } from './event-log.ts';
import { createEventLogOnKafka, type KafkaWriting } from './kafka/event-log-on-kafka.ts';
import { silenceNegativeTimeoutOfKafkajs } from './kafka/silence-negative-timeout.ts';
import { topicConfig } from './kafka/topic-config.ts';
import { createFetchClient } from './platformatic-kafka.ts';
import { defaultMaxRecordBytes } from './record-bytes.ts';
import { unknownTopic } from './topic-errors.ts';

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
const MAX_BYTES_PER_PARTITION = 1024 * 1024;

/** The production event log. Connects when it is first used; `ping` says whether the brokers can be reached. */
export function createKafkaEventLog(options: KafkaEventLogOptions): EventLog {
  silenceNegativeTimeoutOfKafkajs();
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
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: requestTimeoutMs,
    // Joining a group waits for the others; it needs more time than any other request.
    requestTimeout: requestTimeoutMs * 6,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => log(options.logger, entry),
  });
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    // Its idempotent mode can go dead for good (issue 598); one request at a time keeps the order without it.
    idempotent: false,
    maxInFlightRequests: 1,
  });
  const admin = kafka.admin();
  const producerReady = connectOnce(() => producer.connect());
  const adminReady = connectOnce(() => admin.connect());

  return {
    async send(topic, records) {
      await producerReady();
      const messages = records.map(({ partition, record }) => ({
        partition,
        key: record.key,
        value: record.value,
        headers: { ...record.headers },
        timestamp: String(record.timestampMs ?? Date.now()),
      }));
      const answer = await translating(topic, () => send(producer, topic, messages, requestTimeoutMs));
      return new Map(answer.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]));
    },
    async createTopics(specs, replicationFactor) {
      await adminReady();
      for (const spec of specs) {
        const created = {
          topic: spec.name,
          numPartitions: spec.partitions,
          replicationFactor,
          configEntries: topicConfig(spec, replicationFactor),
        };
        await translating(spec.name, () => admin.createTopics({ topics: [created], waitForLeaders: true }));
      }
    },
    async acknowledged(groupId, topic) {
      await adminReady();
      const found = await translating(topic, () => admin.fetchOffsets({ groupId, topics: [topic] }));
      const partitions = found.flatMap((one) => one.partitions);
      return new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    },
    createConsumer: (groupId) =>
      kafka.consumer({
        groupId,
        allowAutoTopicCreation: false,
        sessionTimeout: options.sessionTimeoutMs ?? 10_000,
        heartbeatInterval: (options.sessionTimeoutMs ?? 10_000) / 5,
        rebalanceTimeout: 30_000,
        maxWaitTimeInMs: MAX_FETCH_WAIT_MS,
        maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
        retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8, restartOnFailure: async () => true },
      }),
    async close() {
      await Promise.allSettled([producer.disconnect(), admin.disconnect()]);
    },
  };
}

function send(
  producer: Producer,
  topic: string,
  messages: readonly { partition: number; key: string; value: Buffer | null; timestamp: string }[],
  timeout: number,
): Promise<RecordMetadata[]> {
  return producer.send({ topic, messages: [...messages], acks: -1, timeout });
}

/** Connects at the first use; a failed connection is tried again at the next. */
function connectOnce(connect: () => Promise<void>): () => Promise<void> {
  let connected: Promise<void> | undefined;
  return () =>
    (connected ??= translating('', connect).catch((error: unknown) => {
      connected = undefined;
      throw error;
    }));
}

/** The border: kafkajs's errors, by their protocol type, in the port's codes. */
async function translating<T>(topic: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const types = protocolTypes(error);
    if (types.includes('UNKNOWN_TOPIC_OR_PARTITION')) throw unknownTopic(topic);
    if (types.includes('MESSAGE_TOO_LARGE') || types.includes('RECORD_LIST_TOO_LARGE')) {
      throw new TidegateError(
        'PAYLOAD_TOO_LARGE',
        `A record for ${topic} is larger than the brokers allow.`,
        {
          cause: error,
        },
      );
    }
    throw new TidegateError('UNAVAILABLE', 'Kafka cannot be reached.', { cause: error });
  }
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
  if (level === logLevel.ERROR) logger.warn(entry, message);
  else logger.debug(entry, message);
}
