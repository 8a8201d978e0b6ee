import { getOrders, type OrderDocument } from '@order-platform/contracts';
import { defineLiveField } from '@tidegate/bff';
import type { Context } from './context.ts';
import { customerScope, orderStream } from './streams.ts';

/** One order: its present state, then every change. Each BFF maps it to a type of its own. */
export const liveOrder = defineLiveField<{ id: string }, OrderDocument, Context>({
  stream: orderStream,
  authorise: (viewer) => customerScope(viewer),
  term: ({ id }) => `id:${id}`,
  key: ({ id }) => id,
  snapshot: async ({ id }, { services, consistency }) => {
    const freshness = await consistency.freshness('order', [id]);
    const answer = await services.call(getOrders, { ids: [id], ...(freshness && { freshness }) });
    const data = answer.orders[0];
    return data ? { key: id, version: data.version, data } : undefined;
  },
  overflow: 'latest-per-key',
});
