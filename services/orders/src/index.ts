export {
  createOrdersService,
  ownedTopics,
  type OrdersService,
  type OrdersServiceOptions,
} from './orders-service.ts';
export type { OrdersTables } from './tables.ts';
