import { backoffMs, startDueLoop, type DueLoop } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { ProviderAnswer } from './decide.ts';
import type { ProviderClient } from './provider-client.ts';
import type { PaymentStore } from './store.ts';
import type { PaymentsTable } from './tables.ts';

export interface PaymentWorkerOptions {
  readonly store: PaymentStore;
  readonly provider: ProviderClient;
  readonly clock: () => number;
  readonly logger: Logger;
  /** Maximum concurrent calls to the provider. */
  readonly concurrency: number;
  /** Lease of a claimed row, in milliseconds. Longer than a call may take. */
  readonly leaseMs: number;
  /** Declines a payment that got no answer for so long, in milliseconds. */
  readonly giveUpAfterMs: number;
}

/**
 * Does the due work of payments at the provider. A row is leased while a call is under way: if the process dies, another
 * one repeats the call after the lease, and the provider deduplicates it by its idempotency key.
 */
export class PaymentWorker {
  readonly #options: PaymentWorkerOptions;
  readonly #calls = new Set<Promise<void>>();
  #abort = new AbortController();
  #loop: DueLoop | undefined;

  constructor(options: PaymentWorkerOptions) {
    this.#options = options;
  }

  start(): this {
    const { clock, logger } = this.#options;
    this.#abort = new AbortController();
    this.#loop = startDueLoop({
      pass: () => this.#pass(),
      clock,
      onFailure: (err) => logger.warn({ err }, 'looking for due payments failed; trying again'),
    });
    return this;
  }

  /** Looks for due work now. */
  wake(): void {
    this.#loop?.wake();
  }

  /** Aborts the calls under way and waits for them. Their work is due again after its lease. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop?.stop();
    await Promise.all(this.#calls);
  }

  /** Starts as many calls as there are free places. Returns the time of the next pass. */
  async #pass(): Promise<number | undefined> {
    const { store, clock, concurrency, leaseMs } = this.#options;
    const free = concurrency - this.#calls.size;
    if (free === 0) return undefined;
    for (const row of await store.claim(free, clock() + leaseMs)) {
      const call = this.#work(row).finally(() => {
        this.#calls.delete(call);
        this.wake();
      });
      this.#calls.add(call);
    }
    // When all places are taken, the next call that ends wakes the loop.
    return this.#calls.size === concurrency ? undefined : store.nextDue();
  }

  async #work(row: PaymentsTable): Promise<void> {
    const { store, clock, logger, giveUpAfterMs } = this.#options;
    try {
      const answer = await this.#call(row);
      await store.settle(row, {
        answer,
        retryAt: clock() + backoffMs(row.attempts, { firstMs: 200, maxMs: 3_000 }),
        lastAttempt: clock() - row.requested_at >= giveUpAfterMs,
      });
    } catch (error) {
      if (!this.#abort.signal.aborted) {
        logger.error(
          { err: error, orderId: row.order_id },
          'an answer could not be stored; asking again later',
        );
      }
    }
  }

  async #call(row: PaymentsTable): Promise<ProviderAnswer> {
    const { provider, logger } = this.#options;
    const { signal } = this.#abort;
    try {
      return row.work === 'authorize'
        ? await provider.authorize(row.order_id, row.amount_cents, signal)
        : await provider.refund(row.order_id, signal);
    } catch (error) {
      signal.throwIfAborted();
      const { message } = error as Error;
      logger.warn({ orderId: row.order_id, work: row.work, attempt: row.attempts }, message);
      return { kind: 'failed' };
    }
  }
}
