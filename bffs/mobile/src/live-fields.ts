import type { OrderDocument } from '@order-platform/contracts';
import { type Context, customerScope, liveOrder, orderStream } from '@order-platform/bff-shared';
import { defineLiveField, requireRole } from '@tidegate/bff';

const activity = defineLiveField<Record<string, never>, OrderDocument, Context>({
  stream: orderStream,
  authorise: (viewer) => {
    requireRole(viewer, 'customer');
    return customerScope(viewer);
  },
  term: (_args, scope) => `customer:${scope.viewer.id}`,
  overflow: 'latest-per-key',
});

export const liveFields = { orderScreen: liveOrder, activity };
