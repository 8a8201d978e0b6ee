export { catalogue } from './catalogue.ts';
export * from './topics.ts';
export * from './values.ts';
export * from './commands.ts';
export * from './events/orders.ts';
export * from './events/inventory.ts';
export * from './events/payments.ts';
export * from './events/shipping.ts';
export * from './documents/order-document.ts';
export * from './documents/product-document.ts';
export {
  actor,
  cancelOrder,
  commandResult,
  getCommandOutcome,
  placeOrder,
  type Actor,
  type CommandResult,
} from './operations/orders.ts';
export { access, includesCustomer, type Access } from './operations/access.ts';
export { freshness, getOrders, listOrders } from './operations/order-view.ts';
export { getProducts, listProducts } from './operations/catalog-view.ts';
