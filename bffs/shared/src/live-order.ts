import { getOrders, type OrderDocument } from '@order-platform/contracts';
import { defineLiveField } from '@tidegate/bff';
import { accessOf, parseId, scopeOf } from './access.ts';
import type { Context } from './context.ts';
import { orderRights } from './rights.ts';
import { orderStream } from './streams.ts';

/** One order: its present state, then every change. Each BFF maps it to a type of its own. */
export const liveOrder = defineLiveField<{ id: string }, OrderDocument, Context>({
  stream: orderStream,
  authorise: (viewer, { id }) => {
    parseId('id', id);
    return scopeOf(viewer, accessOf(viewer, orderRights));
  },
  term: ({ id }) => `id:${id}`,
  key: ({ id }) => id,
  snapshot: async ({ id }, { viewer, services, consistency }) => {
    const freshness = await consistency.freshness('order', [id]);
    const access = accessOf(viewer, orderRights);
    const answer = await services.call(getOrders, { ids: [id], access, ...(freshness && { freshness }) });
    const data = answer.orders[0];
    return data ? { key: id, version: data.version, data } : undefined;
  },
  overflow: 'latest-per-key',
});
