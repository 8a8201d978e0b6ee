import type { OrderDocument } from '@order-platform/contracts';
import {
  accessOf,
  type Context,
  guardLiveFields,
  liveOrder,
  orderStream,
  orderTerm,
  rights,
  scopeOf,
} from '@order-platform/bff-shared';
import { defineLiveField } from '@tidegate/bff';

const activity = defineLiveField<Record<string, never>, OrderDocument, Context>({
  stream: orderStream,
  authorise: (viewer) => scopeOf(viewer, accessOf(viewer, rights.mobile['Subscription.activity'])),
  term: (_args, scope) => orderTerm(accessOf(scope.viewer, rights.mobile['Subscription.activity'])),
  overflow: 'latest-per-key',
});

export const liveFields = guardLiveFields(rights.mobile, { orderScreen: liveOrder, activity });
