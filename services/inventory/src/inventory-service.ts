import {
  OrderCancelled,
  OrderDispatched,
  OrderPlaced,
  OrderRejected,
  topics,
} from '@order-platform/contracts';
import { type Message } from '@tidegate/core';
import type { UnitOfWork } from '@tidegate/database';
import { createOutbox } from '@tidegate/messaging';
import { causeOf, createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { assortment, type NewProduct } from './assortment.ts';
import { listAssortment } from './list-assortment.ts';
import { migrations } from './migrations.ts';
import { createReservations, type Reservations } from './reservations.ts';
import type { RestockRule } from './stock-level.ts';
import type { InventoryTables } from './tables.ts';
import { createWarehouse } from './warehouse.ts';

export interface InventoryServiceOptions extends ServiceDependencies<InventoryTables> {
  readonly clock?: () => number;
  /** What is listed at the first start. Default: the forty products of the demonstration. */
  readonly products?: readonly NewProduct[];
  /** So that demonstration traffic does not run the shop dry; none by default. */
  readonly restock?: RestockRule | undefined;
}

export const ownedTopics = [topics.reservationEvents, topics.productEvents] as const;

const consumed = [OrderPlaced, OrderRejected, OrderCancelled, OrderDispatched] as const;
type ConsumedMessage = Message<(typeof consumed)[number]>;

/** Products and the stock held for orders. */
export function createInventoryService(options: InventoryServiceOptions): Service<'inventory'> {
  const { database, clock = Date.now, products = assortment } = options;
  const outbox = createOutbox({ database });
  const warehouse = createWarehouse({
    outbox,
    clock,
    restockRule: options.restock,
  });
  const reservations = createReservations({ warehouse, outbox, clock });

  return createService({
    name: 'inventory',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: (message, unit) => react(reservations, message, unit),
    beforeConsuming: () => listAssortment({ database, outbox, products, clock }),
  });
}

/** One topic, one key: an order's end never overtakes its beginning. */
function react(
  reservations: Reservations,
  message: ConsumedMessage,
  unit: UnitOfWork<InventoryTables>,
): Promise<void> {
  const cause = causeOf(message);
  switch (message.name) {
    case 'OrderPlaced':
      return reservations.reserve(unit, message.data, cause);
    case 'OrderRejected':
    case 'OrderCancelled':
      return reservations.release(unit, message.subject, cause);
    case 'OrderDispatched':
      return reservations.sell(unit, message.subject, cause);
  }
}
