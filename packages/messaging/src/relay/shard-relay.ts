import type { Database, Lock, Tables } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { backoffMs, delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { findPublished } from './find-published.ts';
import { createInFlight, type Delivery } from './in-flight.ts';
import { readPendingRows, type Shard } from './pending-rows.ts';
import { createPublisher } from './publisher.ts';
import { createRowRemover } from './row-remover.ts';
import { createWakeUp } from './wake-up.ts';

export interface ShardRelayOptions {
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly name: string;
  readonly shard: Shard;
  readonly pollMs: number;
  readonly lockRetryMs: number;
}

export interface ShardRelay {
  wake(): void;
  /** Publishes until the signal aborts; what is under way is finished, then the lock is freed. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** Kafka's default limit holds for a whole batch of one partition: half of it leaves room for headers. */
const limits = { maxRecords: 500, maxBytes: 500_000, maxDeliveriesPerTopic: 2 };

/** More than can have been under way when a relay died. */
const LEFTOVERS_CHECKED = 5_000;
const troubleBackoff = { firstMs: 50, maxMs: 5_000 };

export function createShardRelay(options: ShardRelayOptions): ShardRelay {
  const { database, log, logger, name, shard, pollMs, lockRetryMs } = options;
  const publisher = createPublisher({ database, log, logger, name });
  const remover = createRowRemover(database);
  const wakeUp = createWakeUp();

  async function run(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const lock = await database.tryLock(`outbox-${shard.index}-of-${shard.count}`);
        if (lock) {
          attempt = 0;
          await holding(lock, signal);
        } else await wait(lockRetryMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error, shard: shard.index }, 'the relay met trouble; trying again');
        await wait(backoffMs(attempt, troubleBackoff), signal);
      }
    }
  }

  async function holding(lock: Lock, signal: AbortSignal): Promise<void> {
    try {
      const held = AbortSignal.any([signal, lock.lost]);
      await removeLeftovers();
      await publishWhile(held);
      if (lock.lost.aborted) logger.warn({ shard: shard.index }, 'the relay lost its lock; taking it again');
    } finally {
      await lock.release().catch((error: unknown) => {
        logger.warn({ err: error, shard: shard.index }, 'the relay could not free its lock');
      });
    }
  }

  /** Whoever held the lock before may have died between publishing and deleting. */
  async function removeLeftovers(): Promise<void> {
    const rows = await readPendingRows(database, shard, { limit: LEFTOVERS_CHECKED, withoutTopics: [] });
    for (const [topic, own] of Map.groupBy(rows, (row) => row.topic)) {
      const published = await findPublished(log, topic, own);
      if (published.length === 0) continue;
      await remover.remove(published.map((row) => row.id));
      logger.info({ topic, rows: published.length }, 'found in the log what had been published before');
    }
  }

  async function publishWhile(held: AbortSignal): Promise<void> {
    const inFlight = createInFlight(limits);
    const running = new Set<Promise<void>>();

    async function look(): Promise<boolean> {
      const mark = inFlight.beforeRead();
      const rows = await readPendingRows(database, shard, {
        limit: limits.maxRecords + inFlight.size,
        withoutTopics: inFlight.busyTopics(),
      });
      const deliveries = held.aborted ? [] : inFlight.plan(rows, mark);
      for (const delivery of deliveries) start(delivery);
      return deliveries.length > 0;
    }

    function start(delivery: Delivery): void {
      const delivered = deliver(delivery).finally(() => {
        running.delete(delivered);
        wakeUp.wake();
      });
      running.add(delivered);
    }

    /** Never rejects. */
    async function deliver(delivery: Delivery): Promise<void> {
      try {
        const published = await publisher.publish(delivery.topic, delivery.rows, held);
        inFlight.appended(delivery);
        wakeUp.wake();
        await removeSurely(published.map((row) => row.id));
        inFlight.removed(delivery);
      } catch (error) {
        if (held.aborted) return;
        logger.warn({ err: error, topic: delivery.topic }, 'a delivery failed; its rows come again');
        await wait(backoffMs(3, troubleBackoff), held);
        inFlight.forget(delivery);
      }
    }

    /** Published rows that stay would be published again: insists as long as the lock is held. */
    async function removeSurely(ids: readonly number[]): Promise<void> {
      for (let attempt = 1; ids.length > 0; attempt++) {
        try {
          return await remover.remove(ids);
        } catch (error) {
          if (held.aborted) return;
          logger.warn({ err: error, rows: ids.length }, 'published rows could not be deleted; trying again');
          await wait(backoffMs(attempt, troubleBackoff), held);
        }
      }
    }

    try {
      while (!held.aborted) {
        if (!(await look())) await wakeUp.wait(pollMs, held);
      }
    } finally {
      await Promise.all(running);
    }
  }

  return { wake: () => wakeUp.wake(), run };
}

/** Ends early, and without an error, when the signal aborts. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch(() => undefined);
}
