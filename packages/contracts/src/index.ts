export * from './envelope.ts';
export * from './topics.ts';
export * from './values.ts';
export * from './catalogue.ts';
export * from './consistency-token.ts';
export * from './access.ts';
export * from './canary.ts';
export * from './commands.ts';
export * from './events/orders.ts';
export * from './events/inventory.ts';
export * from './events/payments.ts';
export * from './events/shipping.ts';
export * from './documents/order-document.ts';
export * from './documents/product-document.ts';
export * from './operations/operation.ts';
export {
  actor,
  cancelOrder,
  commandResult,
  getCommandOutcome,
  placeOrder,
  type Actor,
  type CommandResult,
} from './operations/orders.ts';
export { freshness, getOrders, listOrders } from './operations/order-view.ts';
export { getProducts, listProducts } from './operations/catalog-view.ts';
