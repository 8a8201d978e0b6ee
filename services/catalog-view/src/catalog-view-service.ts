import { getProducts, listProducts, topics } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { implement } from '@tidegate/service/operations';
import { joinedEvents } from './evolve.ts';
import { migrations } from './migrations.ts';
import { createProductQueries } from './queries.ts';
import { createProjection } from './projection.ts';
import type { CatalogViewTables } from './tables.ts';

export const ownedTopics = [topics.productDocuments] as const;

/** Products with their stock: answers reads and publishes every change. */
export function createCatalogViewService(
  dependencies: ServiceDependencies<CatalogViewTables>,
): Service<'catalog-view'> {
  const { database } = dependencies;
  const outbox = createOutbox({ database });
  const queries = createProductQueries(database);

  return createService({
    name: 'catalog-view',
    dependencies,
    migrations,
    outbox,
    ownedTopics,
    consumed: joinedEvents,
    handle: createProjection(outbox),
    // The version vector knows what was applied.
    inbox: false,
    implementations: [
      implement(getProducts, ({ ids }) => queries.byIds(ids)),
      implement(listProducts, (input) => queries.list(input)),
    ],
  });
}
