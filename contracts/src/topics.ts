import { defineTopic } from '@tidegate/core';

/** Topics of the order platform. */
export const topics = {
  orderCommands: defineTopic('orders.commands', 'delete', 'commands sent through the log instead of HTTP'),
  commandOutcomes: defineTopic(
    'orders.command-outcomes',
    'delete',
    'the outcome of each command, keyed by command id',
  ),
  orderEvents: defineTopic('orders.events', 'delete', 'the orders aggregate, keyed by order id'),
  reservationEvents: defineTopic(
    'inventory.reservations',
    'delete',
    'stock reserved for orders, keyed by order id',
  ),
  productEvents: defineTopic('inventory.products', 'delete', 'products and their stock, keyed by product id'),
  paymentEvents: defineTopic('payments.events', 'delete', 'payments, keyed by order id'),
  shipmentEvents: defineTopic('shipping.events', 'delete', 'shipments, keyed by order id'),
  orderDocuments: defineTopic('order.documents', 'compact', 'the whole view of an order, keyed by order id'),
  productDocuments: defineTopic(
    'product.documents',
    'compact',
    'the whole view of a product, keyed by product id',
  ),
} as const;
