import type { OrderDocument } from '@tidegate/contracts';
import {
  customerScope,
  defineLiveField,
  liveOrder,
  orderStream,
  requireRole,
  type BffContext,
} from '@tidegate/bff';

const activity = defineLiveField<Record<string, never>, OrderDocument, BffContext>({
  stream: orderStream,
  authorise: (viewer) => {
    requireRole(viewer, 'customer');
    return customerScope(viewer);
  },
  term: (_args, scope) => `customer:${scope.viewer.id}`,
  overflow: 'latest-per-key',
});

export const liveFields = { orderScreen: liveOrder, activity };
