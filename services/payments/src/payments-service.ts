import { OrderCancelled, OrderRejected, StockReserved, topics, topicSpecs } from '@tidegate/contracts';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { createOutbox, startConsumer, startRelay } from '@tidegate/outbox';
import { createServiceHandler, type FetchHandler } from '@tidegate/service-api';
import type { Logger } from '@tidegate/telemetry';
import { migrations } from './migrations.ts';
import { createPaymentStore } from './payment-store.ts';
import { startPaymentWorker, type PaymentWorker } from './payment-worker.ts';
import { createProviderClient, type ProviderFetch } from './provider-client.ts';
import type { PaymentsTables } from './tables.ts';

export interface PaymentsServiceOptions {
  readonly database: Database<PaymentsTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** The provider's base URL, or its fetch handler in this process. */
  readonly provider: string | ProviderFetch;
  readonly partitions?: number;
  readonly clock?: () => number;
  /** For one call to the provider. Default 3 s. */
  readonly deadlineMs?: number;
  /** After so long without an answer the payment is declined. Default 2 min. */
  readonly giveUpAfterMs?: number;
  /** Calls to the provider at a time. Default 8. */
  readonly concurrency?: number;
}

export interface PaymentsService {
  readonly name: 'payments';
  readonly handle: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const ownedTopics = [topics.paymentEvents] as const;

const consumed = [StockReserved, OrderCancelled, OrderRejected] as const;

/** Payments at an outside provider: consuming only writes down what is to be done, a worker does it. */
export function createPaymentsService(options: PaymentsServiceOptions): PaymentsService {
  const { database, log, logger, provider, partitions = 6, clock = Date.now } = options;
  const { deadlineMs = 3_000, giveUpAfterMs = 120_000, concurrency = 8 } = options;
  const outbox = createOutbox({ database });
  let worker: PaymentWorker | undefined;
  const store = createPaymentStore({ database, outbox, clock, onWork: () => worker?.wake() });
  const running: { stop(): Promise<void> }[] = [];

  async function start(): Promise<void> {
    await database.migrate(migrations);
    const needed = [...ownedTopics, topics.reservationEvents, topics.orderEvents, topics.deadLetters];
    await log.ensureTopics(topicSpecs(needed, partitions));
    running.push(await startRelay({ database, log, outbox, logger, name: 'payments' }));
    worker = startPaymentWorker({
      store,
      provider: createProviderClient({ provider, deadlineMs }),
      clock,
      logger,
      concurrency,
      leaseMs: deadlineMs + 2_000,
      giveUpAfterMs,
    });
    running.push(worker);
    running.push(
      await startConsumer({
        database,
        log,
        logger,
        group: 'payments',
        definitions: consumed,
        handle: (message, unit) => {
          const cause = { id: message.id, traceparent: message.traceparent };
          return message.name === 'StockReserved'
            ? store.request(unit, message.data, cause)
            : store.end(unit, message.subject, cause);
        },
      }),
    );
  }

  async function stop(): Promise<void> {
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name: 'payments', handle: createServiceHandler({ implementations: [], logger }), start, stop };
}
