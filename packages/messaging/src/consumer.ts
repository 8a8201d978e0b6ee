import { createMessageParser, type Message, type MessageDefinition } from '@tidegate/core';
import type { Database, Tables, UnitOfWork } from '@tidegate/database';
import type { EventLog, LogRecord, RecordBatch } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import { parseBatch, type Received } from './consumer/parse-batch.ts';
import { createBurial } from './consumer/burial.ts';
import { startInboxSweep } from './consumer/inbox-sweep.ts';
import { createPoisonWatch } from './consumer/poison.ts';
import { markHandled, messageKey, type MessageId } from './inbox.ts';

export interface ConsumerOptions<Definitions extends readonly MessageDefinition[]> {
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** The consumer group, and the name under which the inbox remembers. */
  readonly group: string;
  /** What it reads; it subscribes to their topics. Other messages of the platform on these topics are skipped. */
  readonly definitions: Definitions;
  /**
   * Runs inside the transaction that also holds the inbox. It may run again (after a rollback, or a retry of the
   * transaction): its effects belong in the unit. A non-retryable TidegateError means "never": the record goes to the
   * dead letters; any other error means "not now": the record comes again, with backoff, and its partition waits.
   */
  readonly handle: (
    message: Message<Definitions[number]>,
    unit: UnitOfWork<Tables>,
    record: LogRecord,
  ) => Promise<void>;
  /** Failures with a non-retryable error before a record goes to the dead letters. Default 3. */
  readonly maxAttempts?: number;
  /** False for handlers that recognise repeats themselves, such as a view by its version vector. Default true. */
  readonly inbox?: boolean;
  /** Longer than any log is kept, so that a replay of all of it stays without effect. Default 8 days. */
  readonly inboxRetentionMs?: number;
  /** Default 200. */
  readonly maxBatchRecords?: number;
}

export interface Consumer {
  /** Finishes the batches under way. Idempotent. */
  stop(): Promise<void>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Consumes messages with effects exactly once: a batch is one transaction of inbox and handlers' changes, so a repeated
 * record is a no-op. What cannot be read, and what can never be handled, goes to the dead letters with its reason and
 * blocks nothing.
 */
export async function startConsumer<const Definitions extends readonly MessageDefinition[]>(
  options: ConsumerOptions<Definitions>,
): Promise<Consumer> {
  const { database, log, logger, group, definitions, handle, inbox = true } = options;
  const parse = createMessageParser(definitions);
  const poison = createPoisonWatch(options.maxAttempts ?? 3);
  const burial = createBurial({ log, logger, group });
  type Item = Received<Definitions[number]>;

  async function onBatch(batch: RecordBatch): Promise<void> {
    const waiting = batch.records.filter((record) => !burial.isBuried(record));
    const { received, unreadable } = parseBatch<Definitions[number]>(waiting, parse);
    for (const { record, reason } of unreadable) await burial.bury(record, reason);
    if (received.length > 0) await handleAll(received, batch.signal);
    burial.acknowledged(batch);
  }

  async function handleAll(received: readonly Item[], signal: AbortSignal): Promise<void> {
    try {
      await handleTogether(received);
    } catch (error) {
      if (received.length > 1) {
        logger.debug(
          { err: error, group, records: received.length },
          'a batch failed; going record by record',
        );
      }
      await handleOneByOne(received, signal);
    }
  }

  function handleTogether(items: readonly Item[]): Promise<void> {
    return database.transaction(async (unit) => {
      const fresh = inbox ? await markHandled(unit, group, items.map(toMessageId)) : undefined;
      for (const { message, record } of items) {
        // `delete` is false for what was handled before, and for its second time in one batch.
        if (fresh && !fresh.delete(messageKey(message))) continue;
        await handle(message, unit, record);
      }
    });
  }

  /** Rejects at the first record that has to wait; those before it are done and will be no-ops. */
  async function handleOneByOne(items: readonly Item[], signal: AbortSignal): Promise<void> {
    for (const item of items) {
      signal.throwIfAborted();
      try {
        await handleTogether([item]);
      } catch (error) {
        if (!poison.isPoison(item.record, error)) throw error;
        await burial.bury(item.record, (error as Error).message);
      }
    }
  }

  const consumption = await log.consume({
    group,
    topics: [...new Set(definitions.map((definition) => definition.topic.name))],
    maxBatchRecords: options.maxBatchRecords ?? 200,
    handler: onBatch,
    onError: (error) => logger.warn({ err: error, group }, 'consuming failed; the records come again'),
  });
  const stopSweep = inbox
    ? startInboxSweep({ database, logger, group, retentionMs: options.inboxRetentionMs ?? 8 * DAY_MS })
    : async () => {};
  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    await consumption.stop();
    await stopSweep();
  }

  return { stop: () => (stopped ??= stop()) };
}

function toMessageId({ message }: Received<MessageDefinition>): MessageId {
  return { source: message.source, id: message.id };
}
