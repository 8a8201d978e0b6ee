import type { Database, Tables } from '@tidegate/database';
import { TidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { delay, retry } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { outboxChannel, type Outbox } from './outbox.ts';
import { countPendingRows } from './relay/pending-rows.ts';
import { createShardRelay } from './relay/shard-relay.ts';

export interface RelayOptions {
  readonly database: Database<Tables>;
  readonly log: EventLog;
  readonly outbox: Outbox;
  readonly logger: Logger;
  /** For logs and dead letters, e.g. the service's name. */
  readonly name: string;
  /** Stops the relay, as `stop` does. */
  readonly signal?: AbortSignal;
  /** The safety net under the wake-ups. Default 1,000. */
  readonly pollMs?: number;
  /** How often a relay that stands by looks whether the shard is free. Default 500. */
  readonly lockRetryMs?: number;
}

export interface Relay {
  /** Finishes what is under way, frees its shards. Idempotent. */
  stop(): Promise<void>;
  /** Resolves when nothing waits to be published, by this relay or another; rejects with UNAVAILABLE when stopped. */
  drained(): Promise<void>;
  /** Rows committed and not yet published; rows that the log refused for good do not count. */
  pending(): Promise<number>;
}

const DRAIN_POLL_MS = 10;

/**
 * Publishes the outbox: at least once, in order per key and topic. Of all relays on the same database one at a time
 * works on a shard, the others stand by. Killed between publishing and deleting it finds what it had published in the
 * log, so that in practice nothing is repeated.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { database, log, outbox, logger, name, signal, pollMs = 1_000, lockRetryMs = 500 } = options;
  const stopping = new AbortController();
  const stopSignal = signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal;
  const shards = Array.from({ length: outbox.shards }, (_, index) =>
    createShardRelay({
      database,
      log,
      logger,
      name,
      shard: { index, count: outbox.shards },
      pollMs,
      lockRetryMs,
    }),
  );
  const stopListening = await retry(
    () => database.signals.listen(outboxChannel, () => shards.forEach((shard) => shard.wake())),
    { attempts: Infinity, firstMs: 100, maxMs: 5_000, signal: stopSignal },
  );
  const running = Promise.all(shards.map((shard) => shard.run(stopSignal)));
  let stopped: Promise<void> | undefined;

  async function stop(): Promise<void> {
    stopping.abort();
    await running;
    await stopListening();
  }

  async function drained(): Promise<void> {
    while ((await countPendingRows(database)) > 0) {
      if (stopSignal.aborted)
        throw new TidegateError('UNAVAILABLE', 'the relay was stopped before the outbox was empty');
      await delay(DRAIN_POLL_MS);
    }
  }

  return { stop: () => (stopped ??= stop()), drained, pending: () => countPendingRows(database) };
}
