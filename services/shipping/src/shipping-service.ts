import { OrderCancelled, OrderConfirmed, topics, topicSpecs } from '@tidegate/contracts';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { createOutbox, startConsumer, startRelay } from '@tidegate/outbox';
import { createServiceHandler, type FetchHandler } from '@tidegate/service-api';
import type { Logger } from '@tidegate/telemetry';
import { startDueLoop, type DueLoop } from './due-loop.ts';
import { migrations } from './migrations.ts';
import { createShipmentStore } from './shipment-store.ts';
import type { ShippingTables } from './tables.ts';

export interface ShippingServiceOptions {
  readonly database: Database<ShippingTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly partitions?: number;
  readonly clock?: () => number;
  /** From confirmed to dispatched: until then an order can be cancelled. Default 800 ms, for the demonstration. */
  readonly prepareMs?: number;
  /** From dispatched to delivered. Default 2 s, for the demonstration. */
  readonly deliverMs?: number;
}

export interface ShippingService {
  readonly name: 'shipping';
  readonly handle: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const ownedTopics = [topics.shipmentEvents] as const;

const consumed = [OrderConfirmed, OrderCancelled] as const;
const ADVANCED_AT_ONCE = 100;

/** Shipments of confirmed orders. Due times are rows, so they outlive the process. */
export function createShippingService(options: ShippingServiceOptions): ShippingService {
  const { database, log, logger, partitions = 6, clock = Date.now } = options;
  const times = { prepareMs: options.prepareMs ?? 800, deliverMs: options.deliverMs ?? 2_000 };
  const outbox = createOutbox({ database });
  let loop: DueLoop | undefined;
  const store = createShipmentStore({ database, outbox, clock, times, onDue: () => loop?.wake() });
  const running: { stop(): Promise<void> }[] = [];

  async function pass(): Promise<number | undefined> {
    const due = await store.advanceDue(ADVANCED_AT_ONCE);
    return due === ADVANCED_AT_ONCE ? clock() : store.nextDue();
  }

  async function start(): Promise<void> {
    await database.migrate(migrations);
    const needed = [...ownedTopics, topics.orderEvents, topics.deadLetters];
    await log.ensureTopics(topicSpecs(needed, partitions));
    running.push(await startRelay({ database, log, outbox, logger, name: 'shipping' }));
    loop = startDueLoop({ pass, clock, logger });
    running.push(loop);
    running.push(
      await startConsumer({
        database,
        log,
        logger,
        group: 'shipping',
        definitions: consumed,
        handle: (message, unit) =>
          message.name === 'OrderConfirmed'
            ? store.prepare(unit, message.subject, { id: message.id, traceparent: message.traceparent })
            : store.stop(unit, message.subject),
      }),
    );
  }

  async function stop(): Promise<void> {
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name: 'shipping', handle: createServiceHandler({ implementations: [], logger }), start, stop };
}
