import { getOrders, getProducts, type OrderDocument, type ProductDocument } from '@order-platform/contracts';
import { TidegateError } from '@tidegate/core';
import DataLoader from 'dataloader';
import type { Services, Consistency, Viewer } from '@tidegate/bff';
import { accessOf, parseId } from './access.ts';
import { orderRights } from './rights.ts';

/** Batched reads of one operation: each service gets one request per level of the query. */
export interface Loaders {
  /** Orders that the viewer may see; null for every other. */
  readonly orders: DataLoader<string, OrderDocument | null>;
  readonly products: DataLoader<string, ProductDocument | null>;
}

/** Maximum ids in one request, as the contracts of the services say. */
const MAX_BATCH_KEYS = 500;

export function createLoaders(services: Services, consistency: Consistency, viewer: Viewer): Loaders {
  return {
    orders: batched(async (ids) => {
      const access = accessOf(viewer, orderRights);
      const freshness = await consistency.freshness('order', ids);
      const answer = await services.call(getOrders, { ids, access, ...(freshness && { freshness }) });
      consistency.recordRead(answer.satisfied);
      return answer.orders;
    }),
    products: batched(async (ids) => (await services.call(getProducts, { ids })).products),
  };
}

/** A malformed id fails alone with BAD_USER_INPUT; the service is asked for the others only. */
function batched<Value>(read: (ids: string[]) => Promise<Value[]>): DataLoader<string, Value> {
  return new DataLoader<string, Value>(
    async (keys) => {
      const malformed = new Map(keys.map((key) => [key, refusalOf(key)]));
      const ids = keys.filter((key) => malformed.get(key) === undefined);
      const values = ids.length === 0 ? [] : await read(ids);
      const byId = new Map(ids.map((id, index) => [id, values[index]!]));
      return keys.map((key) => malformed.get(key) ?? byId.get(key)!);
    },
    { maxBatchSize: MAX_BATCH_KEYS },
  );
}

function refusalOf(key: string): TidegateError | undefined {
  try {
    parseId('id', key);
    return undefined;
  } catch (error) {
    if (error instanceof TidegateError) return error;
    throw error;
  }
}
