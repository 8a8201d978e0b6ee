import { OrderCancelled, OrderRejected, StockReserved, topics } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { causeOf, createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { migrations } from './migrations.ts';
import { createPaymentStore } from './store.ts';
import { startPaymentWorker, type PaymentWorker } from './worker.ts';
import { createProviderClient, type ProviderFetch } from './provider-client.ts';
import type { PaymentsTables } from './tables.ts';

export interface PaymentsServiceOptions extends ServiceDependencies<PaymentsTables> {
  /** The provider's base URL, or its fetch handler in this process. */
  readonly provider: string | ProviderFetch;
  readonly clock?: () => number;
  /** For one call to the provider. Default 3 s. */
  readonly deadlineMs?: number;
  /** After so long without an answer the payment is declined. Default 2 min. */
  readonly giveUpAfterMs?: number;
  /** Calls to the provider at a time. Default 8. */
  readonly concurrency?: number;
}

export const ownedTopics = [topics.paymentEvents] as const;

const consumed = [StockReserved, OrderCancelled, OrderRejected] as const;

/** Payments at an outside provider: consuming only writes down what is to be done, a worker does it. */
export function createPaymentsService(options: PaymentsServiceOptions): Service<'payments'> {
  const { database, logger, provider, clock = Date.now } = options;
  const { deadlineMs = 3_000, giveUpAfterMs = 120_000, concurrency = 8 } = options;
  const outbox = createOutbox({ database });
  let worker: PaymentWorker | undefined;
  const store = createPaymentStore({ database, outbox, clock, onWork: () => worker?.wake() });

  function startWorker(): PaymentWorker {
    worker = startPaymentWorker({
      store,
      provider: createProviderClient({ provider, deadlineMs }),
      clock,
      logger,
      concurrency,
      leaseMs: deadlineMs + 2_000,
      giveUpAfterMs,
    });
    return worker;
  }

  return createService({
    name: 'payments',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: (message, unit) =>
      message.name === 'StockReserved'
        ? store.request(unit, message.data, causeOf(message))
        : store.end(unit, message.subject, causeOf(message)),
    beforeConsuming: startWorker,
  });
}
