import {
  createMessageParser,
  redrivenTopic,
  TidegateError,
  type Message,
  type MessageDefinition,
} from '@tidegate/core';
import type { Database, Tables, UnitOfWork } from '@tidegate/database';
import type { Consumption, EventLog, LogRecord, RecordBatch } from '@tidegate/event-log';
import { createMetrics, type Logger, type Metrics } from '@tidegate/runtime/telemetry';
import { DeadLetterWriter } from '../dead-letters/dead-letter-writer.ts';
import { deliveredRecords } from '../dead-letters/redriven-record.ts';
import { createConsumerMetrics, type ConsumerMetrics } from '../metrics.ts';
import { sampleConsumer } from './consumer-samples.ts';
import { startInboxSweep } from './inbox-sweep.ts';
import { markHandled, messageKey, type MessageId } from './inbox.ts';
import { separateMalformedRecords, type ReceivedMessage } from './malformed-records.ts';
import { PoisonDetector } from './poison-detector.ts';

export interface ConsumerOptions<Definitions extends readonly MessageDefinition[]> {
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Default: a registry that nobody reads. */
  readonly metrics?: Metrics | undefined;
  /** Consumer group, and the consumer's name in the inbox. */
  readonly group: string;
  /**
   * Message types to handle. The consumer subscribes to their topics, and skips other message types on them, and to the
   * topic of redriven dead letters. All of them have to exist.
   */
  readonly definitions: Definitions;
  /**
   * Handles one message inside the transaction that also holds the inbox. It may run again after a rollback, so all
   * its effects must be part of the unit. A non-retryable TidegateError means "never": after `maxAttempts` the record
   * goes to the dead letters. Any other error means "not now": the record is retried with backoff, and its partition
   * waits.
   */
  readonly handle: (
    message: Message<Definitions[number]>,
    unit: UnitOfWork<Tables>,
    record: LogRecord,
  ) => Promise<void>;
  /** Failures with a non-retryable error after which a record goes to the dead letters. Default 3. */
  readonly maxAttempts?: number;
  /** False for a handler that is idempotent by itself, for example by comparing versions. Default true. */
  readonly inbox?: boolean;
  /**
   * Age in milliseconds from which inbox ids are deleted. Must exceed the retention of every topic, so that a replay
   * from the earliest offset has no effect. Default 8 days.
   */
  readonly inboxRetentionMs?: number;
  /** Maximum records per batch, and so per transaction. Default 200. */
  readonly maxBatchRecords?: number;
}

export interface Consumer {
  /** Finishes the batches in progress, then leaves the consumer group. Idempotent. */
  stop(): Promise<void>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Starts a consumer whose effects happen exactly once: a batch is one transaction of inbox rows and handlers' changes,
 * so a repeated record is a no-op. Malformed records and poison messages go to the dead letters with their reason and
 * do not block the partition. A redriven dead letter of the group is handled as its record was.
 *
 * @example
 * const consumer = await startConsumer({
 *   database,
 *   log,
 *   logger,
 *   group: 'alarms',
 *   definitions: [CounterRaised],
 *   handle: async (message, unit) => {
 *     await unit.tx.insertInto('alarms').values({ counter: message.data.counterId }).execute();
 *   },
 * });
 * await consumer.stop();
 */
export async function startConsumer<const Definitions extends readonly MessageDefinition[]>(
  options: ConsumerOptions<Definitions>,
): Promise<Consumer> {
  const consumer = new InboxConsumer(options);
  await consumer.start();
  return consumer;
}

class InboxConsumer<Definitions extends readonly MessageDefinition[]> implements Consumer {
  readonly #options: ConsumerOptions<Definitions>;
  readonly #parse: (record: LogRecord) => Message<Definitions[number]> | undefined;
  readonly #usesInbox: boolean;
  readonly #poison: PoisonDetector;
  readonly #deadLetters: DeadLetterWriter;
  readonly #registry: Metrics;
  readonly #metrics: ConsumerMetrics;
  #consumption: Consumption | undefined;
  #stopSweep: (() => Promise<void>) | undefined;
  #endSamples: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ConsumerOptions<Definitions>) {
    this.#options = options;
    this.#parse = createMessageParser(options.definitions);
    this.#usesInbox = options.inbox ?? true;
    this.#poison = new PoisonDetector(options.maxAttempts ?? 3);
    this.#registry = options.metrics ?? createMetrics({ nodeMetrics: false });
    this.#metrics = createConsumerMetrics(this.#registry);
    this.#deadLetters = new DeadLetterWriter({ ...options, deadLetters: this.#metrics.deadLetters });
  }

  async start(): Promise<void> {
    const { database, log, logger, group, definitions, inboxRetentionMs = 8 * DAY_MS } = this.#options;
    const topics = [...new Set([...definitions.map(({ topic }) => topic.name), redrivenTopic.name])];
    this.#consumption = await log.consume({
      group,
      topics,
      maxBatchRecords: this.#options.maxBatchRecords ?? 200,
      handler: (batch) => this.#measure(batch),
      onError: (error) => {
        this.#metrics.failures.inc({ group });
        logger.warn({ err: error, group }, 'consuming failed; the records come again');
      },
    });
    const samples = { metrics: this.#registry, database, log, group, topics, inbox: this.#usesInbox };
    this.#endSamples = sampleConsumer(samples);
    if (this.#usesInbox) {
      this.#stopSweep = startInboxSweep({ database, logger, group, retentionMs: inboxRetentionMs });
    }
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#endSamples?.();
    await this.#consumption?.stop();
    await this.#stopSweep?.();
  }

  async #measure(batch: RecordBatch): Promise<void> {
    const { group } = this.#options;
    const end = this.#metrics.batchSeconds.startTimer({ group });
    try {
      await this.#handleBatch(batch);
      this.#metrics.records.inc({ group }, batch.records.length);
    } finally {
      end();
    }
  }

  async #handleBatch(batch: RecordBatch): Promise<void> {
    const records = batch.records.filter((record) => !this.#deadLetters.hasWritten(record));
    const sources = deliveredRecords(records, this.#options.group);
    const { received, malformed } = separateMalformedRecords<Definitions[number]>(sources, this.#parse);
    for (const { source, reason } of malformed)
      await this.#deadLetters.write(source, { code: 'RECORD_MALFORMED', reason });
    if (received.length > 0) await this.#handleMessages(received, batch.signal);
    this.#deadLetters.onAcknowledged(batch);
  }

  async #handleMessages(
    received: readonly ReceivedMessage<Definitions[number]>[],
    signal: AbortSignal,
  ): Promise<void> {
    const { logger, group } = this.#options;
    try {
      await this.#handleInTransaction(received);
    } catch (error) {
      if (received.length > 1) {
        logger.debug(
          { err: error, group, records: received.length },
          'a batch failed; going record by record',
        );
      }
      await this.#handleOneByOne(received, signal);
    }
  }

  #handleInTransaction(received: readonly ReceivedMessage<Definitions[number]>[]): Promise<void> {
    const { database, group, handle } = this.#options;
    return database.transaction(async (unit) => {
      const fresh = this.#usesInbox ? await markHandled(unit, group, received.map(toMessageId)) : undefined;
      for (const { message, source } of received) {
        // `delete` returns false for a duplicate, also for a second occurrence in this batch.
        if (fresh && !fresh.delete(messageKey(message))) continue;
        await handle(message, unit, source.record);
      }
    });
  }

  /** Rejects at the first record that must be retried. The records before it are committed: duplicates from now on. */
  async #handleOneByOne(
    received: readonly ReceivedMessage<Definitions[number]>[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const each of received) {
      signal.throwIfAborted();
      try {
        await this.#handleInTransaction([each]);
      } catch (error) {
        if (!this.#poison.isPoison(each.source.delivered, error)) throw error;
        const code = error instanceof TidegateError ? error.code : 'VALUE_REFUSED';
        await this.#deadLetters.write(each.source, { code, reason: (error as Error).message });
      }
    }
  }
}

function toMessageId({ message }: ReceivedMessage<MessageDefinition>): MessageId {
  return { source: message.source, id: message.id };
}
