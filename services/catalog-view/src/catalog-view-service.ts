import { getProducts, listProducts, topics, topicSpecs } from '@tidegate/contracts';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { createOutbox, startConsumer, startRelay } from '@tidegate/outbox';
import { createServiceHandler, implement, type FetchHandler } from '@tidegate/service-api';
import type { Logger } from '@tidegate/telemetry';
import { joinedEvents } from './evolve-product.ts';
import { migrations } from './migrations.ts';
import { createProductQueries } from './product-queries.ts';
import { createProjection } from './projection.ts';
import type { CatalogViewTables } from './tables.ts';

export interface CatalogViewServiceOptions {
  readonly database: Database<CatalogViewTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly partitions?: number;
}

export interface CatalogViewService {
  readonly name: 'catalog-view';
  readonly handle: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const ownedTopics = [topics.productDocuments] as const;

/** Products with their stock: answers reads and publishes every change. */
export function createCatalogViewService(options: CatalogViewServiceOptions): CatalogViewService {
  const { database, log, logger, partitions = 6 } = options;
  const outbox = createOutbox({ database });
  const queries = createProductQueries(database);
  const running: { stop(): Promise<void> }[] = [];

  const implementations = [
    implement(getProducts, ({ ids }) => queries.byIds(ids)),
    implement(listProducts, (input) => queries.list(input)),
  ];

  async function start(): Promise<void> {
    await database.migrate(migrations);
    const needed = [...ownedTopics, topics.productEvents, topics.deadLetters];
    await log.ensureTopics(topicSpecs(needed, partitions));
    running.push(await startRelay({ database, log, outbox, logger, name: 'catalog-view' }));
    running.push(
      await startConsumer({
        database,
        log,
        logger,
        group: 'catalog-view',
        definitions: joinedEvents,
        // The version vector knows what was applied.
        inbox: false,
        handle: createProjection(outbox),
      }),
    );
  }

  async function stop(): Promise<void> {
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name: 'catalog-view', handle: createServiceHandler({ implementations, logger }), start, stop };
}
