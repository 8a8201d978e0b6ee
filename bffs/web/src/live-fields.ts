import {
  getCommandOutcome,
  getProducts,
  includesCustomer,
  type CommandResult,
  type OrderDocument,
  type ProductDocument,
} from '@order-platform/contracts';
import {
  accessOf,
  type Context,
  commandOutcomeStream,
  liveOrder,
  guardLiveFields,
  orderStream,
  orderTerm,
  parseAccountId,
  parseId,
  productStream,
  publicScope,
  rights,
  scopeOf,
  type CommandOutcomeData,
} from '@order-platform/bff-shared';
import { defineLiveField } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type {
  SubscriptionCommandOutcomeArgs,
  SubscriptionOrdersArgs,
  SubscriptionStockArgs,
} from './generated/schema-types.ts';
import { requireStatuses } from './require-statuses.ts';

const orders = defineLiveField<SubscriptionOrdersArgs, OrderDocument, Context>({
  stream: orderStream,
  authorise: (viewer, { filter }) => {
    const access = accessOf(viewer, rights.web['Subscription.orders']);
    requireStatuses('filter.status', filter?.status);
    if (
      filter?.customerId != null &&
      !includesCustomer(access, parseAccountId('filter.customerId', filter.customerId))
    )
      throw new TidegateError('FORBIDDEN', 'You may not watch the orders of this customer.');
    return scopeOf(viewer, access);
  },
  term: ({ filter }, scope) =>
    orderTerm(accessOf(scope.viewer, rights.web['Subscription.orders']), filter?.customerId),
  matches: (data, { filter }) => !filter?.status || filter.status.includes(data.status),
  overflow: 'close',
});

const stock = defineLiveField<SubscriptionStockArgs, ProductDocument, Context>({
  stream: productStream,
  authorise: (_viewer, { productId }) => {
    parseId('productId', productId);
    return publicScope;
  },
  term: ({ productId }) => `id:${productId}`,
  key: ({ productId }) => productId,
  snapshot: async ({ productId }, { services }) => {
    const data = (await services.call(getProducts, { ids: [productId] })).products[0];
    return data ? { key: productId, version: data.version, data } : undefined;
  },
  overflow: 'latest-per-key',
});

const commandOutcome = defineLiveField<SubscriptionCommandOutcomeArgs, CommandOutcomeData, Context>({
  stream: commandOutcomeStream,
  authorise: (viewer, { id }) => {
    parseId('id', id);
    return scopeOf(viewer, accessOf(viewer, rights.web['Subscription.commandOutcome']));
  },
  term: ({ id }) => `id:${id}`,
  key: ({ id }) => id,
  snapshot: async ({ id }, { viewer, services }) => {
    const access = accessOf(viewer, rights.web['Subscription.commandOutcome']);
    const { outcome } = await services.call(getCommandOutcome, { commandId: id, access });
    return outcome ? { key: id, version: 1, data: outcomeData(id, outcome) } : undefined;
  },
  snapshotOptional: true,
  once: true,
  overflow: 'latest-per-key',
});

function outcomeData(
  commandId: string,
  known: { customerId: string; command: string; result: CommandResult },
): CommandOutcomeData {
  const { customerId, command, result } = known;
  if (result.status === 'rejected') {
    return { commandId, customerId, command, outcome: { status: 'rejected', reason: result.reason } };
  }
  const outcome = { status: 'accepted' as const, token: result.token };
  return { commandId, customerId, command, orderId: result.orderId, outcome };
}

export const liveFields = guardLiveFields(rights.web, { order: liveOrder, orders, stock, commandOutcome });
