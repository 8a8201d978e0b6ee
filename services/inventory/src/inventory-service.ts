import {
  OrderCancelled,
  OrderDispatched,
  OrderPlaced,
  OrderRejected,
  topics,
  topicSpecs,
  type Message,
} from '@tidegate/contracts';
import type { Database, UnitOfWork } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { createOutbox, startConsumer, startRelay } from '@tidegate/outbox';
import { createServiceHandler, type FetchHandler } from '@tidegate/service-api';
import type { Logger } from '@tidegate/telemetry';
import { assortment, type NewProduct } from './assortment.ts';
import { listAssortment } from './list-assortment.ts';
import { migrations } from './migrations.ts';
import { createReservations, type Reservations } from './reservations.ts';
import type { RestockRule } from './stock-level.ts';
import type { InventoryTables } from './tables.ts';
import { createWarehouse } from './warehouse.ts';

export interface InventoryServiceOptions {
  readonly database: Database<InventoryTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly partitions?: number;
  readonly clock?: () => number;
  /** What is listed at the first start. Default: the forty products of the demonstration. */
  readonly products?: readonly NewProduct[];
  /** So that demonstration traffic does not run the shop dry; none by default. */
  readonly restock?: RestockRule | undefined;
}

export interface InventoryService {
  readonly name: 'inventory';
  readonly handle: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const ownedTopics = [topics.reservationEvents, topics.productEvents] as const;

const consumed = [OrderPlaced, OrderRejected, OrderCancelled, OrderDispatched] as const;
type ConsumedMessage = Message<(typeof consumed)[number]>;

/** Products and the stock held for orders. */
export function createInventoryService(options: InventoryServiceOptions): InventoryService {
  const { database, log, logger, partitions = 6, clock = Date.now, products = assortment } = options;
  const outbox = createOutbox({ database });
  const warehouse = createWarehouse({
    outbox,
    clock,
    restockRule: options.restock,
  });
  const reservations = createReservations({ warehouse, outbox, clock });
  const running: { stop(): Promise<void> }[] = [];

  async function start(): Promise<void> {
    await database.migrate(migrations);
    await log.ensureTopics(topicSpecs([...ownedTopics, topics.orderEvents, topics.deadLetters], partitions));
    running.push(await startRelay({ database, log, outbox, logger, name: 'inventory' }));
    await listAssortment({ database, outbox, products, clock });
    running.push(
      await startConsumer({
        database,
        log,
        logger,
        group: 'inventory',
        definitions: consumed,
        handle: (message, unit) => react(reservations, message, unit),
      }),
    );
  }

  async function stop(): Promise<void> {
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name: 'inventory', handle: createServiceHandler({ implementations: [], logger }), start, stop };
}

/** One topic, one key: an order's end never overtakes its beginning. */
function react(
  reservations: Reservations,
  message: ConsumedMessage,
  unit: UnitOfWork<InventoryTables>,
): Promise<void> {
  const cause = { id: message.id, traceparent: message.traceparent };
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
