import { backoffMs, type WakeUp } from '@tidegate/runtime/resilience';
import { InFlightRows, type Delivery } from './in-flight-rows.ts';
import { readPendingRows, type Shard } from './pending-rows.ts';
import { Publisher, type MeasuredPublisherOptions } from './publisher.ts';
import { pause, retryBackoff } from './retry-backoff.ts';
import type { RowRemover } from './row-remover.ts';

export interface PublishLoopOptions extends MeasuredPublisherOptions {
  readonly shard: Shard;
  /** Longest wait for a wake-up, in milliseconds. */
  readonly pollMs: number;
  readonly remover: RowRemover;
  readonly wakeUp: WakeUp;
  /** Aborts when the shard's lock is lost or the relay stops. */
  readonly held: AbortSignal;
}

/** Kafka's default limit of 1 MB applies to a whole batch of one partition; half of it leaves room for headers. */
const limits = { maxRecords: 500, maxBytes: 500_000, maxDeliveriesPerTopic: 2 };

/** Reads pending rows of one shard and publishes them, as long as the shard's lock is held. */
export class PublishLoop {
  readonly #options: PublishLoopOptions;
  readonly #publisher: Publisher;
  readonly #inFlight = new InFlightRows(limits);
  readonly #running = new Set<Promise<void>>();

  constructor(options: PublishLoopOptions) {
    this.#options = options;
    this.#publisher = new Publisher(options);
  }

  /** Resolves when `held` has aborted and the deliveries in progress have ended. */
  async run(): Promise<void> {
    const { wakeUp, pollMs, held } = this.#options;
    try {
      while (!held.aborted) {
        if (!(await this.#startDeliveries())) await wakeUp.wait(pollMs, held);
      }
    } finally {
      await Promise.all(this.#running);
    }
  }

  /** Starts all deliveries that the order per key allows. Resolves with false when there was none. */
  async #startDeliveries(): Promise<boolean> {
    const { database, shard, held } = this.#options;
    const mark = this.#inFlight.beforeRead();
    const rows = await readPendingRows(database, shard, {
      limit: limits.maxRecords + this.#inFlight.size,
      withoutTopics: this.#inFlight.busyTopics(),
    });
    const deliveries = held.aborted ? [] : this.#inFlight.plan(rows, mark);
    for (const delivery of deliveries) this.#start(delivery);
    return deliveries.length > 0;
  }

  #start(delivery: Delivery): void {
    const delivered = this.#deliver(delivery).finally(() => {
      this.#running.delete(delivered);
      this.#options.wakeUp.wake();
    });
    this.#running.add(delivered);
  }

  /** Never rejects. */
  async #deliver(delivery: Delivery): Promise<void> {
    const { logger, wakeUp, held } = this.#options;
    try {
      const published = await this.#publisher.publish(delivery.topic, delivery.rows, held);
      this.#inFlight.onAppended(delivery);
      wakeUp.wake();
      await this.#removeRows(published.map((row) => row.id));
      this.#inFlight.onRemoved(delivery);
    } catch (error) {
      if (held.aborted) return;
      logger.warn({ err: error, topic: delivery.topic }, 'a delivery failed; its rows come again');
      await pause(backoffMs(3, retryBackoff), held);
      this.#inFlight.onFailed(delivery);
    }
  }

  /** Retries while the lock is held: a published row that stays in the table would be published again. */
  async #removeRows(ids: readonly number[]): Promise<void> {
    const { logger, remover, held } = this.#options;
    for (let attempt = 1; ids.length > 0; attempt++) {
      try {
        return await remover.remove(ids);
      } catch (error) {
        if (held.aborted) return;
        logger.warn({ err: error, rows: ids.length }, 'published rows could not be deleted; trying again');
        await pause(backoffMs(attempt, retryBackoff), held);
      }
    }
  }
}
