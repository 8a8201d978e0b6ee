import {
  compressionsAlgorithms,
  Consumer,
  findErrorBy,
  type ClusterMetadata,
  type KafkaRecord,
  type RecordsBatch,
} from '@platformatic/kafka';
import type { LogRecord } from './event-log.ts';
import type { Fetched, FetchClient, FetchRequest, OffsetQuery, TopicMetadata } from './kafka/fetch-client.ts';
import { AbortedTransactions, type ProducedBatch } from './kafka/aborted-transactions.ts';
import { answerWithin } from './kafka/answer-within.ts';
import { recordContent } from './kafka/record-content.ts';
import { tlsOptions, tlsServerName, type KafkaSecurity } from './kafka/security.ts';
import { translateError } from './kafka/translate-error.ts';
import { unknownTopic } from './topic-errors.ts';

export interface FetchClientOptions extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Time in milliseconds within which every request is answered or rejects. */
  readonly requestTimeoutMs: number;
}

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_PARTITION_BYTES = 1024 * 1024;
const READ_COMMITTED = 1;
/** Bits of a batch's attributes. */
const TRANSACTIONAL = 0b1_0000;
const CONTROL_BATCH = 0b10_0000;
const LOG_APPEND_TIME = 0b1000;
/** Special timestamps of Kafka's ListOffsets. */
const LATEST = -1n;
const EARLIEST = -2n;

/** Codecs of compressed batches beside gzip. */
export const { snappy, lz4, zstd } = compressionsAlgorithms;

export function createFetchClient(options: FetchClientOptions): FetchClient {
  return new PlatformaticFetchClient(options);
}

/**
 * Reads by the public `fetch`, `metadata` and `listOffsets` of a consumer that never joins its group: the broker never
 * sees the group id and keeps no state for it.
 */
class PlatformaticFetchClient implements FetchClient {
  readonly #consumer: Consumer;
  readonly #requestTimeoutMs: number;

  constructor(options: FetchClientOptions) {
    const { brokers, clientId, requestTimeoutMs, login } = options;
    const tls = tlsOptions(options);
    const serverName = tlsServerName(options);
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#consumer = new Consumer({
      clientId,
      groupId: 'never-joined',
      bootstrapBrokers: rotated(brokers),
      retries: 0,
      connectTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      timeout: requestTimeoutMs,
      autocreateTopics: false,
      ...(tls && { tls }),
      ...(serverName !== undefined && { tlsServerName: serverName }),
      ...(login && { sasl: login }),
      isolationLevel: READ_COMMITTED,
    });
  }

  async clusterId(): Promise<string> {
    return (await this.#metadata()).id;
  }

  async brokerCount(): Promise<number> {
    return (await this.#metadata()).brokers.size;
  }

  async topic(name: string): Promise<TopicMetadata> {
    const found = (await this.#metadata(name)).topics.get(name);
    if (!found) throw unknownTopic(name);
    // A fetch resolves leaders only for topics that the consumer tracks.
    this.#consumer.topics.track(name);
    return { name, id: found.id, partitions: found.partitions };
  }

  async offsets(name: string, at: OffsetQuery): Promise<number[]> {
    const timestamp = at === 'end' ? LATEST : at === 'start' ? EARLIEST : BigInt(Math.ceil(at.timeMs));
    const request = { topics: [name], timestamp, isolationLevel: READ_COMMITTED };
    try {
      const found = await this.#ask('list offsets', () => this.#consumer.listOffsets(request));
      return (found.get(name) ?? []).map(Number);
    } catch (error) {
      throw translateError(error, name);
    }
  }

  async fetch(brokerId: number, partitions: readonly FetchRequest[], maxWaitMs: number): Promise<Fetched[]> {
    const request = {
      node: brokerId,
      topics: groupByTopic(partitions),
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes: MAX_BYTES,
      isolationLevel: READ_COMMITTED,
    };
    const response = await this.#ask('fetch', () => this.#consumer.fetch(request), maxWaitMs);
    const names = new Map(partitions.map(({ topic }) => [topic.id, topic.name]));
    const requested = new Map(
      partitions.map(({ topic, partition, offset }) => [`${topic.name}/${partition}`, offset]),
    );
    return response.responses.flatMap(({ topicId, partitions: answered }) => {
      const name = names.get(topicId) as string;
      return answered.flatMap(({ partitionIndex, records, abortedTransactions }) => {
        const from = requested.get(`${name}/${partitionIndex}`);
        if (from === undefined || !records?.length) return [];
        const aborted = new AbortedTransactions(abortedTransactions ?? []);
        return [decode(name, partitionIndex, records, { from, aborted })];
      });
    });
  }

  isOutOfRange(error: unknown): boolean {
    return error instanceof Error && findErrorBy(error, 'apiId', 'OFFSET_OUT_OF_RANGE') !== null;
  }

  async close(): Promise<void> {
    await this.#ask('close', () => this.#consumer.close()).catch(() => undefined);
  }

  async #metadata(topic?: string): Promise<ClusterMetadata> {
    const request = { topics: topic === undefined ? [] : [topic], forceUpdate: true };
    try {
      return await this.#ask('metadata', () => this.#consumer.metadata(request));
    } catch (error) {
      throw translateError(error, topic);
    }
  }

  #ask<T>(name: string, run: () => Promise<T>, extraMs = 0): Promise<T> {
    return answerWithin(this.#requestTimeoutMs + extraMs, name, run);
  }
}

let clientCount = 0;

/** The vendor asks the first address first. Each client gets another first address, because that broker may be silent. */
function rotated(brokers: readonly string[]): string[] {
  const from = clientCount++ % brokers.length;
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
      // Fences a broker that led in an earlier epoch: it rejects the fetch instead of answering with old records.
      currentLeaderEpoch: topic.partitions[partition]?.leaderEpoch ?? -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: MAX_PARTITION_BYTES,
    })),
  }));
}

/** A broker sends whole batches, so the first one may begin before the requested offset. */
function decode(
  topic: string,
  partition: number,
  batches: readonly RecordsBatch[],
  { from, aborted }: { readonly from: number; readonly aborted: AbortedTransactions },
): Fetched {
  const records: LogRecord[] = [];
  let nextOffset = from;
  for (const batch of batches) {
    nextOffset = Math.max(nextOffset, Number(batch.firstOffset) + batch.lastOffsetDelta + 1);
    const isAborted = aborted.includes(producedBatch(batch));
    if (isAborted || batch.attributes & CONTROL_BATCH) continue;
    for (const record of batch.records) {
      const offset = Number(batch.firstOffset) + record.offsetDelta;
      if (offset >= from) records.push({ topic, partition, offset, ...content(batch, record) });
    }
  }
  return { topic, partition, records, nextOffset };
}

function producedBatch(batch: RecordsBatch): ProducedBatch {
  const isControl = (batch.attributes & CONTROL_BATCH) !== 0;
  return {
    producerId: batch.producerId,
    lastOffset: batch.firstOffset + BigInt(batch.lastOffsetDelta),
    isTransactional: (batch.attributes & TRANSACTIONAL) !== 0,
    controlKey: isControl ? (batch.records[0]?.key ?? undefined) : undefined,
  };
}

function content(
  batch: RecordsBatch,
  record: KafkaRecord,
): Pick<LogRecord, 'key' | 'value' | 'headers' | 'timestampMs'> {
  const logTime = batch.attributes & LOG_APPEND_TIME;
  return recordContent({
    key: record.key,
    value: record.value,
    headers: record.headers,
    timestampMs: Number(logTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta),
  });
}
