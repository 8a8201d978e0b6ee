export { createInventoryService, ownedTopics, type InventoryServiceOptions } from './inventory-service.ts';
export { assortment, type NewProduct } from './assortment.ts';
export type { RestockRule } from './stock-level.ts';
export type { InventoryTables } from './tables.ts';
