export {
  createOrderViewService,
  ownedTopics,
  type OrderViewService,
  type OrderViewServiceOptions,
} from './order-view-service.ts';
export type { OrderViewTables } from './tables.ts';
