export { createOrderViewService } from './order-view-service.ts';
export type { OrderViewTables } from './tables.ts';
