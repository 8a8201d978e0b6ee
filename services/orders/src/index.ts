export { createOrdersService, type OrdersServiceOptions } from './orders-service.ts';
export type { OrdersTables } from './tables.ts';
