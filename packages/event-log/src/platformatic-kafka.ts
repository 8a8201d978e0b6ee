import { TidegateError } from '@tidegate/core';
import { Consumer, findErrorBy, type KafkaRecord, type RecordsBatch } from '@platformatic/kafka';
import type { LogRecord } from './event-log.ts';
import type { Fetched, FetchClient, FetchRequest, TopicMetadata } from './kafka/fetch-client.ts';
import { withDeadline } from './kafka/with-deadline.ts';
import { unknownTopic } from './topic-errors.ts';

export interface FetchClientOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Every request has an answer or an error within this time. */
  readonly requestTimeoutMs: number;
}

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_PARTITION_BYTES = 1024 * 1024;
const READ_COMMITTED = 1;
const CONTROL_BATCH = 0b10_0000;
const LOG_APPEND_TIME = 0b1000;

/**
 * Reads by the public `fetch`, `metadata` and `listOffsets` of a consumer that never joins its group: the broker
 * hears no group id and keeps nothing of it.
 */
export function createFetchClient({ brokers, clientId, requestTimeoutMs }: FetchClientOptions): FetchClient {
  const consumer = new Consumer({
    clientId,
    groupId: 'never-joined',
    bootstrapBrokers: rotated(brokers),
    retries: 0,
    connectTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    autocreateTopics: false,
    isolationLevel: READ_COMMITTED,
  });

  const ask = <T>(request: Promise<T>, what: string, extraMs = 0): Promise<T> =>
    withDeadline(request, requestTimeoutMs + extraMs, what);

  async function topic(name: string): Promise<TopicMetadata> {
    try {
      const request = consumer.metadata({ topics: [name], forceUpdate: true });
      const found = (await ask(request, 'metadata')).topics.get(name);
      if (!found) throw unknownTopic(name);
      // The fetch resolves leaders of the topics that the consumer tracks.
      consumer.topics.track(name);
      return { name, id: found.id, partitions: found.partitions };
    } catch (error) {
      throw translated(error, name);
    }
  }

  async function offsets(name: string, at: 'start' | 'end' | { timeMs: number }): Promise<number[]> {
    const timestamp = at === 'end' ? -1n : at === 'start' ? -2n : BigInt(Math.ceil(at.timeMs));
    try {
      const request = consumer.listOffsets({ topics: [name], timestamp, isolationLevel: READ_COMMITTED });
      return ((await ask(request, 'list offsets')).get(name) ?? []).map(Number);
    } catch (error) {
      throw translated(error, name);
    }
  }

  async function fetch(
    brokerId: number,
    partitions: readonly FetchRequest[],
    maxWaitMs: number,
  ): Promise<Fetched[]> {
    const byId = new Map(partitions.map((one) => [one.topic.id, one.topic.name]));
    const askedOffset = new Map(partitions.map((one) => [`${one.topic.name}/${one.partition}`, one.offset]));
    const request = consumer.fetch({
      node: brokerId,
      topics: groupByTopic(partitions),
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      isolationLevel: READ_COMMITTED,
    });
    const response = await ask(request, 'fetch', maxWaitMs);
    return response.responses.flatMap(({ topicId, partitions: answered }) => {
      const name = byId.get(topicId) as string;
      return answered.flatMap(({ partitionIndex, records }) => {
        const from = askedOffset.get(`${name}/${partitionIndex}`);
        return from === undefined || !records?.length ? [] : [decode(name, partitionIndex, records, from)];
      });
    });
  }

  return {
    topic,
    offsets,
    fetch,
    clusterId: async () => (await cluster()).id,
    brokerCount: async () => (await cluster()).brokers.size,
    isOutOfRange: (error) =>
      error instanceof Error && findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE') !== null,
    close: () => ask(consumer.close(), 'close').catch(() => undefined),
  };

  async function cluster(): Promise<{ id: string; brokers: ReadonlyMap<number, unknown> }> {
    try {
      return await ask(consumer.metadata({ topics: [], forceUpdate: true }), 'metadata');
    } catch (error) {
      throw translated(error, '');
    }
  }
}

let clients = 0;

/** The vendor asks the first address first: each client gets another one, as that broker may be silent. */
function rotated(brokers: readonly string[]): string[] {
  const from = clients++ % brokers.length;
  return [...brokers.slice(from), ...brokers.slice(0, from)];
}

function groupByTopic(partitions: readonly FetchRequest[]): {
  topicId: string;
  partitions: {
    partition: number;
    currentLeaderEpoch: number;
    fetchOffset: bigint;
    lastFetchedEpoch: number;
    partitionMaxBytes: number;
  }[];
}[] {
  const groups = Map.groupBy(partitions, ({ topic }) => topic.id);
  return [...groups].map(([topicId, asked]) => ({
    topicId,
    partitions: asked.map(({ topic, partition, offset }) => ({
      partition,
      // A broker that was leader in an earlier epoch must say so instead of answering from the past.
      currentLeaderEpoch: topic.partitions[partition]?.leaderEpoch ?? -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: MAX_PARTITION_BYTES,
    })),
  }));
}

/** A batch is sent whole, so it may begin before the asked offset. */
function decode(topic: string, partition: number, batches: readonly RecordsBatch[], from: number): Fetched {
  const records: LogRecord[] = [];
  let nextOffset = from;
  for (const batch of batches) {
    nextOffset = Math.max(nextOffset, Number(batch.firstOffset) + batch.lastOffsetDelta + 1);
    if (batch.attributes & CONTROL_BATCH) continue;
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta;
      if (offset >= from) records.push({ topic, partition, offset, ...content(batch, record) });
    }
  }
  return { topic, partition, records, nextOffset };
}

function content(
  batch: RecordsBatch,
  record: KafkaRecord,
): Pick<LogRecord, 'key' | 'value' | 'headers' | 'timestampMs'> {
  const logTime = batch.attributes & LOG_APPEND_TIME;
  return {
    key: record.key?.toString() ?? '',
    value: record.value,
    headers: Object.fromEntries(
      record.headers.map(([name, value]) => [name?.toString() ?? '', value?.toString() ?? '']),
    ),
    timestampMs: Number(logTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta),
  };
}

function translated(error: unknown, topic: string): TidegateError {
  if (error instanceof TidegateError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  // The vendor turns the protocol's code into a message of its own.
  const unknown = cause.message.startsWith('Unknown topic ');
  if (unknown || findErrorBy(cause, 'apiId', 'INVALID_TOPIC_EXCEPTION')) return unknownTopic(topic);
  return new TidegateError('UNAVAILABLE', 'Kafka does not answer.', { cause });
}
