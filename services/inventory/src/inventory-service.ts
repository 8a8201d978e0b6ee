import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { assortment, type NewProduct } from './assortment.ts';
import type { RestockRule } from './evolve.ts';
import { listAssortment } from './list-assortment.ts';
import { consumed, ownedTopics } from './messages.ts';
import { migrations } from './migrations.ts';
import { createReactions } from './reactions.ts';
import { ReservationStore } from './store.ts';
import type { InventoryTables } from './tables.ts';
import { Warehouse } from './warehouse.ts';

export interface InventoryServiceOptions extends ServiceDependencies<InventoryTables> {
  /** Products to list at start, unless they are listed already. Default: the forty products of the demonstration. */
  readonly products?: readonly NewProduct[];
  /** Refills products that run low, so that demonstration traffic does not exhaust them. Default: no refill. */
  readonly restock?: RestockRule | undefined;
}

/** Creates the owner of products and of the stock reserved for orders. */
export function createInventoryService(options: InventoryServiceOptions): Service<'inventory'> {
  const { database, clock = Date.now, products = assortment } = options;
  const outbox = createOutbox({ database });
  const warehouse = new Warehouse({ outbox, clock, restockRule: options.restock });
  const reservations = new ReservationStore({ warehouse, outbox, clock });

  return createService({
    name: 'inventory',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: createReactions(reservations),
    beforeConsuming: () => listAssortment({ database, outbox, products, clock }),
  });
}
