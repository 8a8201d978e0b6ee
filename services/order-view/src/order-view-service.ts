import {
  decodeConsistencyToken,
  getOrders,
  listOrders,
  topics,
  topicSpecs,
  type InputOf,
} from '@tidegate/contracts';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { createOutbox, startConsumer, startRelay } from '@tidegate/outbox';
import { createServiceHandler, implement, type FetchHandler } from '@tidegate/service-api';
import type { Logger } from '@tidegate/telemetry';
import { createFreshnessWait } from './freshness-wait.ts';
import { migrations } from './migrations.ts';
import { createOrderQueries } from './order-queries.ts';
import { joinedEvents } from './order-parts.ts';
import { createProjection } from './projection.ts';
import type { OrderViewTables } from './tables.ts';

export interface OrderViewServiceOptions {
  readonly database: Database<OrderViewTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly partitions?: number;
}

export interface OrderViewService {
  readonly name: 'order-view';
  readonly handle: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const ownedTopics = [topics.orderDocuments] as const;

/** Joins everything about an order into one document, answers reads from it and publishes it. */
export function createOrderViewService(options: OrderViewServiceOptions): OrderViewService {
  const { database, log, logger, partitions = 6 } = options;
  const outbox = createOutbox({ database });
  const queries = createOrderQueries(database);
  const freshness = createFreshnessWait({ versions: (ids) => queries.versions(ids) });
  const project = createProjection({
    outbox,
    onApplied: (orderId, version) => freshness.applied(orderId, version),
  });
  const running: { stop(): Promise<void> }[] = [];

  /** A token may name other things than orders: they are no business of this view. */
  async function satisfied(
    demanded: InputOf<typeof getOrders>['freshness'],
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!demanded) return true;
    const floors = decodeConsistencyToken(demanded.token).filter(({ kind }) => kind === 'order');
    return freshness.covered(floors, demanded.waitMs, signal);
  }

  const implementations = [
    implement(getOrders, async ({ ids, freshness: demanded }, { signal }) => {
      const covered = await satisfied(demanded, signal);
      return { orders: await queries.byIds(ids), satisfied: covered };
    }),
    implement(listOrders, async ({ freshness: demanded, ...input }, { signal }) => {
      const covered = await satisfied(demanded, signal);
      return { ...(await queries.list(input)), satisfied: covered };
    }),
  ];

  async function start(): Promise<void> {
    await database.migrate(migrations);
    const needed = [...ownedTopics, ...joinedEvents.map(({ topic }) => topic), topics.deadLetters];
    await log.ensureTopics(topicSpecs([...new Set(needed)], partitions));
    running.push(await startRelay({ database, log, outbox, logger, name: 'order-view' }));
    running.push(
      await startConsumer({
        database,
        log,
        logger,
        group: 'order-view',
        definitions: joinedEvents,
        // The version vector knows what was applied.
        inbox: false,
        handle: (message, unit, record) => project(message, unit, record.partition),
      }),
    );
  }

  async function stop(): Promise<void> {
    freshness.stop();
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name: 'order-view', handle: createServiceHandler({ implementations, logger }), start, stop };
}
