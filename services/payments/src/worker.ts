import { backoffMs, startDueLoop } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { ProviderAnswer } from './decide.ts';
import type { PaymentStore } from './store.ts';
import type { ProviderClient } from './provider-client.ts';
import type { PaymentsTable } from './tables.ts';

export interface PaymentWorker {
  wake(): void;
  /** Breaks off the calls under way and waits for them; their work is due again after its lease. */
  stop(): Promise<void>;
}

/**
 * Does the due work of the payments' rows at the provider, `concurrency` calls at a time. A row is leased while it
 * is worked on: after a crash, here or in another process, it is due again when the lease ends, and the provider
 * knows a repeated call by its key.
 */
export function startPaymentWorker(options: {
  store: PaymentStore;
  provider: ProviderClient;
  clock: () => number;
  logger: Logger;
  concurrency: number;
  /** Longer than a call may take. */
  leaseMs: number;
  giveUpAfterMs: number;
}): PaymentWorker {
  const { store, provider, clock, logger, concurrency, leaseMs, giveUpAfterMs } = options;
  const abort = new AbortController();
  const calls = new Set<Promise<void>>();

  async function pass(): Promise<number | undefined> {
    const free = concurrency - calls.size;
    if (free === 0) return undefined;
    for (const row of await store.claim(free, clock() + leaseMs)) {
      const call = work(row).finally(() => {
        calls.delete(call);
        loop.wake();
      });
      calls.add(call);
    }
    // With every place taken the next one that becomes free wakes the loop.
    return calls.size === concurrency ? undefined : store.nextDue();
  }

  async function work(row: PaymentsTable): Promise<void> {
    try {
      const answer = await ask(row);
      const retryAt = clock() + backoffMs(row.attempts, { firstMs: 200, maxMs: 3_000 });
      await store.settle(row, answer, retryAt, clock() - row.requested_at >= giveUpAfterMs);
    } catch (error) {
      if (!abort.signal.aborted) {
        logger.error(
          { err: error, orderId: row.order_id },
          'an answer could not be stored; asking again later',
        );
      }
    }
  }

  async function ask(row: PaymentsTable): Promise<ProviderAnswer> {
    try {
      return row.work === 'authorize'
        ? await provider.authorize(row.order_id, row.amount_cents, abort.signal)
        : await provider.undo(row.order_id, abort.signal);
    } catch (error) {
      abort.signal.throwIfAborted();
      const { message } = error as Error;
      logger.warn({ orderId: row.order_id, work: row.work, attempt: row.attempts }, message);
      return { kind: 'failed' };
    }
  }

  const loop = startDueLoop({
    pass,
    clock,
    onFailure: (err) => logger.warn({ err }, 'looking for due payments failed; trying again'),
  });
  return {
    wake: () => loop.wake(),
    async stop() {
      abort.abort();
      await loop.stop();
      await Promise.all(calls);
    },
  };
}
