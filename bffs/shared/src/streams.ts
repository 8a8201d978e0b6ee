import {
  CommandOutcome,
  OrderDocumentChanged,
  ProductDocumentChanged,
  type OrderDocument,
  type ProductDocument,
} from '@order-platform/contracts';
import { type DataOf } from '@tidegate/core';
import { defineLiveStream, type LiveScope, requireRole, type Viewer } from '@tidegate/bff';

export const orderStream = defineLiveStream<OrderDocument>({
  name: 'orders',
  definition: OrderDocumentChanged,
  terms: (order) => ['all', `id:${order.orderId}`, `customer:${order.customerId}`],
});

export const productStream = defineLiveStream<ProductDocument>({
  name: 'products',
  definition: ProductDocumentChanged,
  terms: (product) => [`id:${product.productId}`],
});

export type CommandOutcomeData = DataOf<typeof CommandOutcome>;

export const commandOutcomeStream = defineLiveStream<CommandOutcomeData>({
  name: 'command-outcomes',
  definition: CommandOutcome,
  terms: (outcome) => [`id:${outcome.commandId}`],
});

/** Access rule for a customer's data: customers see their own, operators and partners see all. */
export function customerScope<Data extends { customerId: string }>(viewer: Viewer): LiveScope<Data> {
  requireRole(viewer, 'customer', 'operator', 'partner');
  if (viewer.role !== 'customer') {
    return { id: viewer.role, viewer: { role: viewer.role, id: '' }, sees: () => true };
  }
  return {
    id: `customer:${viewer.id}`,
    viewer: { role: 'customer', id: viewer.id },
    sees: (data) => data.customerId === viewer.id,
  };
}

/** Access rule for public data. */
export const publicScope: LiveScope = {
  id: 'public',
  viewer: { role: 'anonymous', id: '' },
  sees: () => true,
};
