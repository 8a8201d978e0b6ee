import {
  CommandOutcome,
  OrderDocumentChanged,
  ProductDocumentChanged,
  type OrderDocument,
  type ProductDocument,
} from '@order-platform/contracts';
import { type DataOf } from '@tidegate/core';
import { defineLiveStream } from '@tidegate/bff';

export const orderStream = defineLiveStream<OrderDocument>({
  name: 'orders',
  definition: OrderDocumentChanged,
  partitioner: 'murmur2',
  terms: (order) => ['all', `id:${order.orderId}`, `customer:${order.customerId}`],
});

export const productStream = defineLiveStream<ProductDocument>({
  name: 'products',
  definition: ProductDocumentChanged,
  partitioner: 'murmur2',
  terms: (product) => [`id:${product.productId}`],
});

export type CommandOutcomeData = DataOf<typeof CommandOutcome>;

export const commandOutcomeStream = defineLiveStream<CommandOutcomeData>({
  name: 'command-outcomes',
  definition: CommandOutcome,
  partitioner: 'murmur2',
  terms: (outcome) => [`id:${outcome.commandId}`],
});
