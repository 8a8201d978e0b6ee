export { createOrdersService, ownedTopics, type OrdersServiceOptions } from './orders-service.ts';
export type { OrdersTables } from './tables.ts';
