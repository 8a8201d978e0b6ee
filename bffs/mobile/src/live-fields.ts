import { getOrders, type OrderDocument } from '@tidegate/contracts';
import { customerScope, defineLiveField, orderStream, requireRole, type BffContext } from '@tidegate/bff';
import type { SubscriptionOrderScreenArgs } from './generated/resolver-types.ts';

const orderScreen = defineLiveField<SubscriptionOrderScreenArgs, OrderDocument, BffContext>({
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

const activity = defineLiveField<Record<string, never>, OrderDocument, BffContext>({
  stream: orderStream,
  authorise: (viewer) => {
    requireRole(viewer, 'customer');
    return customerScope(viewer);
  },
  term: (_args, scope) => `customer:${scope.viewer.id}`,
  overflow: 'latest-per-key',
});

export const liveFields = { orderScreen, activity };
