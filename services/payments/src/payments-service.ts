import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { consumed, ownedTopics } from './messages.ts';
import { migrations } from './migrations.ts';
import { ProviderClient, type ProviderFetch } from './provider-client.ts';
import { createReactions } from './reactions.ts';
import { PaymentStore } from './store.ts';
import type { PaymentsTables } from './tables.ts';
import { PaymentWorker } from './worker.ts';

export interface PaymentsServiceOptions extends ServiceDependencies<PaymentsTables> {
  /** Base URL of the payment provider, or its fetch handler in this process. */
  readonly provider: string | ProviderFetch;
  /** Deadline of one call to the provider, in milliseconds. Default 3,000. */
  readonly deadlineMs?: number;
  /** Declines a payment that got no answer for so long, in milliseconds. Default 120,000. */
  readonly giveUpAfterMs?: number;
  /** Maximum concurrent calls to the provider. Default 8. */
  readonly concurrency?: number;
}

/** Time to store an answer after a call that used up its deadline. */
const LEASE_MARGIN_MS = 2_000;

/**
 * Creates the owner of payments at an outside provider. Consuming a message only stores the work to do; a worker then
 * calls the provider, so a slow provider never delays the consumer.
 */
export function createPaymentsService(options: PaymentsServiceOptions): Service<'payments'> {
  const { database, logger, provider, clock = Date.now } = options;
  const { deadlineMs = 3_000, giveUpAfterMs = 120_000, concurrency = 8 } = options;
  const outbox = createOutbox({ database });
  const store = new PaymentStore({ database, outbox, clock, onWork: () => worker.wake() });
  const worker = new PaymentWorker({
    store,
    provider: new ProviderClient({ provider, deadlineMs, metrics: options.metrics }),
    clock,
    logger,
    concurrency,
    leaseMs: deadlineMs + LEASE_MARGIN_MS,
    giveUpAfterMs,
  });

  return createService({
    name: 'payments',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: createReactions(store),
    beforeConsuming: () => worker.start(),
  });
}
