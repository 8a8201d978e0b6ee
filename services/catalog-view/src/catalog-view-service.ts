import { getProducts, listProducts } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { implement } from '@tidegate/service/operations';
import { consumed, ownedTopics } from './messages.ts';
import { migrations } from './migrations.ts';
import { ProductProjection } from './projection.ts';
import { ProductQueries } from './queries.ts';
import type { CatalogViewTables } from './tables.ts';

/** Creates the read side of products with their stock: answers reads and publishes every change. */
export function createCatalogViewService(
  dependencies: ServiceDependencies<CatalogViewTables>,
): Service<'catalog-view'> {
  const { database } = dependencies;
  const outbox = createOutbox({ database });
  const queries = new ProductQueries(database);
  const projection = new ProductProjection({ outbox });

  return createService({
    name: 'catalog-view',
    dependencies,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: (message, unit) => projection.apply(message, unit),
    // The version vector deduplicates.
    inbox: false,
    implementations: [
      implement(getProducts, async ({ ids }) => ({ products: await queries.byIds(ids) })),
      implement(listProducts, (input) => queries.list(input)),
    ],
  });
}
