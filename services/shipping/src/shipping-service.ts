import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { consumed, ownedTopics } from './messages.ts';
import { migrations } from './migrations.ts';
import { createReactions } from './reactions.ts';
import { ShipmentStore } from './store.ts';
import type { ShippingTables } from './tables.ts';
import { ShipmentWorker } from './worker.ts';

export interface ShippingServiceOptions extends ServiceDependencies<ShippingTables> {
  /** Time from confirmation to dispatch, in milliseconds; until then an order can be cancelled. Default 800. */
  readonly prepareMs?: number;
  /** Time from dispatch to delivery, in milliseconds. Default 2,000. */
  readonly deliverMs?: number;
}

/** Creates the owner of shipments: it prepares, dispatches and delivers confirmed orders on a timer. */
export function createShippingService(options: ShippingServiceOptions): Service<'shipping'> {
  const { database, logger, clock = Date.now } = options;
  const { prepareMs = 800, deliverMs = 2_000 } = options;
  const outbox = createOutbox({ database });
  const times = { prepareMs, deliverMs };
  const store = new ShipmentStore({ database, outbox, clock, times, onDue: () => worker.wake() });
  const worker = new ShipmentWorker({ store, clock, logger });

  return createService({
    name: 'shipping',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: createReactions(store),
    beforeConsuming: () => worker.start(),
  });
}
