import { OrderCancelled, OrderConfirmed, topics } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { startDueLoop, type DueLoop } from '@tidegate/runtime/resilience';
import { causeOf, createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { migrations } from './migrations.ts';
import { createShipmentStore } from './store.ts';
import type { ShippingTables } from './tables.ts';

export interface ShippingServiceOptions extends ServiceDependencies<ShippingTables> {
  readonly clock?: () => number;
  /** From confirmed to dispatched: until then an order can be cancelled. Default 800 ms, for the demonstration. */
  readonly prepareMs?: number;
  /** From dispatched to delivered. Default 2 s, for the demonstration. */
  readonly deliverMs?: number;
}

export const ownedTopics = [topics.shipmentEvents] as const;

const consumed = [OrderConfirmed, OrderCancelled] as const;
const ADVANCED_AT_ONCE = 100;

/** Shipments of confirmed orders. Due times are rows, so they outlive the process. */
export function createShippingService(options: ShippingServiceOptions): Service<'shipping'> {
  const { database, logger, clock = Date.now } = options;
  const times = { prepareMs: options.prepareMs ?? 800, deliverMs: options.deliverMs ?? 2_000 };
  const outbox = createOutbox({ database });
  let loop: DueLoop | undefined;
  const store = createShipmentStore({ database, outbox, clock, times, onDue: () => loop?.wake() });

  async function pass(): Promise<number | undefined> {
    const due = await store.advanceDue(ADVANCED_AT_ONCE);
    return due === ADVANCED_AT_ONCE ? clock() : store.nextDue();
  }

  const onFailure = (err: unknown): void =>
    logger.warn({ err }, 'looking for due shipments failed; trying again');

  return createService({
    name: 'shipping',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: (message, unit) =>
      message.name === 'OrderConfirmed'
        ? store.prepare(unit, message.subject, causeOf(message))
        : store.stop(unit, message.subject),
    beforeConsuming: () => (loop = startDueLoop({ pass, clock, onFailure })),
  });
}
