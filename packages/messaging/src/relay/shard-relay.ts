import type { Lock } from '@tidegate/database';
import { backoffMs, WakeUp } from '@tidegate/runtime/resilience';
import { findPublished } from './find-published.ts';
import { readPendingRows, type Shard } from './pending-rows.ts';
import { PublishLoop } from './publish-loop.ts';
import type { MeasuredPublisherOptions } from './publisher.ts';
import { pause, retryBackoff } from './retry-backoff.ts';
import { RowRemover } from './row-remover.ts';

export interface ShardRelayOptions extends MeasuredPublisherOptions {
  readonly shard: Shard;
  /** Interval of the poll, in milliseconds. */
  readonly pollMs: number;
  /** Interval at which the lock is tried while another relay holds it, in milliseconds. */
  readonly lockRetryMs: number;
}

/** More rows than can have been in flight when a relay crashed. */
const MAX_LEFTOVER_ROWS = 5_000;

/** Publishes one shard of the outbox while it holds the shard's lock. */
export class ShardRelay {
  readonly #options: ShardRelayOptions;
  readonly #remover: RowRemover;
  readonly #wakeUp = new WakeUp();

  constructor(options: ShardRelayOptions) {
    this.#options = options;
    this.#remover = new RowRemover(options.database);
  }

  /** Makes the relay read the outbox now. */
  wake(): void {
    this.#wakeUp.wake();
  }

  /** Publishes until the signal aborts. Then finishes the deliveries in progress and releases the lock. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { database, logger, shard, lockRetryMs } = this.#options;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const lock = await database.tryLock(`outbox-${shard.index}-of-${shard.count}`);
        if (lock) {
          attempt = 0;
          await this.#publishUnder(lock, signal);
        } else {
          await pause(lockRetryMs, signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error, shard: shard.index }, 'the relay met trouble; trying again');
        await pause(backoffMs(attempt, retryBackoff), signal);
      }
    }
  }

  async #publishUnder(lock: Lock, signal: AbortSignal): Promise<void> {
    const { logger, shard } = this.#options;
    try {
      await this.#removeLeftovers();
      await new PublishLoop({
        ...this.#options,
        remover: this.#remover,
        wakeUp: this.#wakeUp,
        held: AbortSignal.any([signal, lock.lost]),
      }).run();
      if (lock.lost.aborted) logger.warn({ shard: shard.index }, 'the relay lost its lock; taking it again');
    } finally {
      await lock.release().catch((error: unknown) => {
        logger.warn({ err: error, shard: shard.index }, 'the relay could not free its lock');
      });
    }
  }

  /** Deletes rows that the previous holder of the lock published and did not delete before it crashed. */
  async #removeLeftovers(): Promise<void> {
    const { database, log, logger, shard } = this.#options;
    const rows = await readPendingRows(database, shard, { limit: MAX_LEFTOVER_ROWS, withoutTopics: [] });
    for (const [topic, own] of Map.groupBy(rows, (row) => row.topic)) {
      const published = await findPublished(log, topic, own);
      if (published.length === 0) continue;
      await this.#remover.remove(published.map((row) => row.id));
      logger.info({ topic, rows: published.length }, 'found in the log what had been published before');
    }
  }
}
