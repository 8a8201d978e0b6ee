import { TidegateError } from '@tidegate/core';
import { partitionFor, type OutgoingRecord } from '@tidegate/event-log';
import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import type { ForeignWay } from './trouble.ts';

const codecs: Partial<Record<ForeignWay, CompressionTypes>> = {
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

/** How long a transaction stays open beside the committed records, in milliseconds. */
const OPEN_MS = 150;

export interface ForeignProducerOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
}

/**
 * A producer of another system: compressed batches and transactions. The event log has given its
 * codecs to kafkajs. Nobody may receive the records of an aborted transaction.
 */
export class ForeignProducer {
  readonly #options: ForeignProducerOptions;
  readonly #kafka: Kafka;
  readonly #producers = new Map<string, Promise<Producer>>();
  readonly #ending = new Set<Promise<unknown>>();

  constructor(options: ForeignProducerOptions) {
    this.#options = options;
    const { brokers } = options;
    this.#kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 } });
  }

  /**
   * Appends the records in the way given.
   *
   * @param never records that go into a transaction which is aborted.
   */
  async append(
    way: ForeignWay,
    records: readonly OutgoingRecord[],
    never: readonly OutgoingRecord[],
  ): Promise<void> {
    try {
      await this.#append(way, records, never);
    } catch (error) {
      // A producer whose transaction has failed is of no use any more.
      await this.#discardAll();
      throw new TidegateError('UNAVAILABLE', `a foreign producer failed (${way})`, { cause: error });
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#ending);
    await this.#discardAll();
  }

  async #append(
    way: ForeignWay,
    records: readonly OutgoingRecord[],
    never: readonly OutgoingRecord[],
  ): Promise<void> {
    const compression = codecs[way];
    if (compression !== undefined) {
      await this.#send(await this.#producer('plain'), records, compression);
      return;
    }
    if (way === 'aborted') await this.#inTransaction('aborting', never, 'abort');
    if (way === 'open') await this.#openBeside(never);
    await this.#inTransaction('committing', records, 'commit');
  }

  async #inTransaction(
    id: string,
    records: readonly OutgoingRecord[],
    end: 'commit' | 'abort',
  ): Promise<void> {
    if (records.length === 0) return;
    const transaction = await (await this.#producer(id)).transaction();
    await this.#send(transaction, records);
    await transaction[end]();
  }

  /** kafkajs may resolve without having sent the records of a partition whose leader has moved. */
  async #send(
    sender: Pick<Producer, 'send'>,
    records: readonly OutgoingRecord[],
    compression = CompressionTypes.None,
  ): Promise<void> {
    const messages = records.map((record) => this.#message(record));
    const answers = await sender.send({ topic: this.#options.topic, messages, compression });
    const sent = new Set(
      answers.filter(({ baseOffset }) => Number(baseOffset) >= 0).map(({ partition }) => partition),
    );
    if (messages.some(({ partition }) => !sent.has(partition!)))
      throw new Error('the records of a partition were not sent');
  }

  /** Holds back later commits until it is aborted a moment later. */
  async #openBeside(records: readonly OutgoingRecord[]): Promise<void> {
    await Promise.allSettled(this.#ending);
    const transaction = await (await this.#producer('open')).transaction();
    await this.#send(transaction, records);
    const ended = new Promise((resolve) => setTimeout(resolve, OPEN_MS))
      .then(() => transaction.abort())
      .catch(() => this.#discardAll())
      .finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #message({ key, value, headers, timestampMs }: OutgoingRecord): Message {
    const partition = partitionFor(key, this.#options.partitions);
    return { partition, key, value, headers: { ...headers }, timestamp: String(timestampMs ?? Date.now()) };
  }

  #producer(id: string): Promise<Producer> {
    const known = this.#producers.get(id) ?? this.#connect(id);
    this.#producers.set(id, known);
    return known;
  }

  async #connect(id: string): Promise<Producer> {
    const transactional = { transactionalId: `${this.#options.topic}-${id}`, idempotent: true };
    const producer = this.#kafka.producer({
      ...(id !== 'plain' && transactional),
      maxInFlightRequests: 1,
      transactionTimeout: 10_000,
    });
    await producer.connect();
    return producer;
  }

  async #discardAll(): Promise<void> {
    const producers = [...this.#producers.values()];
    this.#producers.clear();
    await Promise.allSettled(producers.map(async (producer) => (await producer).disconnect()));
  }
}
