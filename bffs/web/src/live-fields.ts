import {
  getCommandOutcome,
  getProducts,
  type CommandResult,
  type OrderDocument,
  type ProductDocument,
} from '@order-platform/contracts';
import {
  type Context,
  commandOutcomeStream,
  customerScope,
  liveOrder,
  orderStream,
  productStream,
  publicScope,
  type CommandOutcomeData,
} from '@order-platform/bff-shared';
import { defineLiveField } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type {
  SubscriptionCommandOutcomeArgs,
  SubscriptionOrdersArgs,
  SubscriptionStockArgs,
} from './generated/schema-types.ts';

const orders = defineLiveField<SubscriptionOrdersArgs, OrderDocument, Context>({
  stream: orderStream,
  authorise: (viewer, { filter }) => {
    const scope = customerScope<OrderDocument>(viewer);
    if (filter?.customerId && viewer.role === 'customer' && filter.customerId !== viewer.id) {
      throw new TidegateError('FORBIDDEN', 'Customers watch their own orders only.');
    }
    return scope;
  },
  term: ({ filter }, scope) => {
    const customerId = scope.viewer.role === 'customer' ? scope.viewer.id : filter?.customerId;
    return customerId ? `customer:${customerId}` : 'all';
  },
  matches: (data, { filter }) => !filter?.status || filter.status.includes(data.status),
  overflow: 'close',
});

const stock = defineLiveField<SubscriptionStockArgs, ProductDocument, Context>({
  stream: productStream,
  authorise: () => publicScope,
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
  authorise: (viewer) => customerScope(viewer),
  term: ({ id }) => `id:${id}`,
  key: ({ id }) => id,
  snapshot: async ({ id }, { services }) => {
    const { outcome } = await services.call(getCommandOutcome, { commandId: id });
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

export const liveFields = { order: liveOrder, orders, stock, commandOutcome };
