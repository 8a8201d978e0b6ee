import { getOrders, getProducts, type OrderDocument, type ProductDocument } from '@order-platform/contracts';
import DataLoader from 'dataloader';
import type { Services, Consistency } from '@tidegate/bff';

/** Batched reads of one operation: each service gets one request per level of the query. */
export interface Loaders {
  readonly orders: DataLoader<string, OrderDocument | null>;
  readonly products: DataLoader<string, ProductDocument | null>;
}

/** Maximum ids in one request, as the contracts of the services say. */
const MAX_BATCH_KEYS = 500;

export function createLoaders(services: Services, consistency: Consistency): Loaders {
  return {
    orders: new DataLoader(
      async (ids) => {
        const freshness = await consistency.freshness('order', ids);
        const answer = await services.call(getOrders, { ids: [...ids], ...(freshness && { freshness }) });
        consistency.recordRead(answer.satisfied);
        return answer.orders;
      },
      { maxBatchSize: MAX_BATCH_KEYS },
    ),
    products: new DataLoader(async (ids) => (await services.call(getProducts, { ids: [...ids] })).products, {
      maxBatchSize: MAX_BATCH_KEYS,
    }),
  };
}
