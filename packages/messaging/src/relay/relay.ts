import { TidegateError } from '@tidegate/core';
import { delay, retry } from '@tidegate/runtime/resilience';
import { createMetrics, type Metrics } from '@tidegate/runtime/telemetry';
import { createRelayMetrics } from '../metrics.ts';
import { outboxChannel, type Outbox } from '../outbox/outbox.ts';
import { sampleOutbox } from './outbox-samples.ts';
import { countPendingRows } from './pending-rows.ts';
import type { PublisherOptions } from './publisher.ts';
import { ShardRelay } from './shard-relay.ts';

export interface RelayOptions extends PublisherOptions {
  readonly outbox: Outbox;
  /** Default: a registry that nobody reads. */
  readonly metrics?: Metrics | undefined;
  /** Stops the relay when it aborts, as `stop` does. */
  readonly signal?: AbortSignal;
  /** Interval in milliseconds of the poll that finds rows whose wake-up was lost. Default 1,000. */
  readonly pollMs?: number;
  /** Interval in milliseconds at which a standby relay tries to take a shard's lock. Default 500. */
  readonly lockRetryMs?: number;
}

export interface Relay {
  /** Finishes the deliveries in progress, then releases the shards' locks. Idempotent. */
  stop(): Promise<void>;
  /**
   * Resolves when the outbox is empty, whichever relay published the rows.
   *
   * @throws TidegateError UNAVAILABLE when the relay was stopped before that.
   */
  drained(): Promise<void>;
  /** Number of committed rows that are not published yet, without the rows that the log rejects permanently. */
  pending(): Promise<number>;
}

const DRAIN_POLL_MS = 10;
const listenBackoff = { firstMs: 100, maxMs: 5_000 };

/**
 * Starts a relay that publishes the outbox to the log, at least once and in order per key and topic. Of all relays on
 * one database, one at a time publishes a shard; the others stand by. After a crash between publishing and deleting,
 * the next relay finds the published rows in the log and deletes them, so that duplicates are rare.
 *
 * @throws whatever `options.signal` aborts with, when it aborts before the relay listens for wake-ups.
 *
 * @example
 * const relay = await startRelay({ database, log, outbox, logger, name: 'counters' });
 * await relay.drained();
 * await relay.stop();
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const relay = new OutboxRelay(options);
  await relay.start();
  return relay;
}

class OutboxRelay implements Relay {
  readonly #options: RelayOptions;
  readonly #registry: Metrics;
  readonly #shards: readonly ShardRelay[];
  readonly #stopping = new AbortController();
  readonly #stopSignal: AbortSignal;
  #stopListening: (() => Promise<void>) | undefined;
  #endSamples: (() => void) | undefined;
  #running: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: RelayOptions) {
    const { outbox, signal, pollMs = 1_000, lockRetryMs = 500 } = options;
    this.#options = options;
    this.#registry = options.metrics ?? createMetrics({ nodeMetrics: false });
    const metrics = createRelayMetrics(this.#registry);
    this.#stopSignal = signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal;
    this.#shards = Array.from(
      { length: outbox.shards },
      (_, index) =>
        new ShardRelay({ ...options, metrics, pollMs, lockRetryMs, shard: { index, count: outbox.shards } }),
    );
  }

  async start(): Promise<void> {
    const { signals } = this.#options.database;
    const wake = (): void => this.#shards.forEach((shard) => shard.wake());
    this.#stopListening = await retry(() => signals.listen(outboxChannel, wake), {
      ...listenBackoff,
      attempts: Infinity,
      signal: this.#stopSignal,
    });
    this.#endSamples = sampleOutbox(this.#registry, this.#options.database, this.#options.name);
    this.#running = Promise.all(this.#shards.map((shard) => shard.run(this.#stopSignal)));
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#endSamples?.();
    await this.#running;
    await this.#stopListening?.();
  }

  async drained(): Promise<void> {
    while ((await this.pending()) > 0) {
      if (this.#stopSignal.aborted) {
        throw new TidegateError('UNAVAILABLE', 'the relay was stopped before the outbox was empty');
      }
      await delay(DRAIN_POLL_MS);
    }
  }

  pending(): Promise<number> {
    return countPendingRows(this.#options.database);
  }
}
