export { createInventoryService, type InventoryServiceOptions } from './inventory-service.ts';
export { assortment, type NewProduct } from './assortment.ts';
export type { RestockRule } from './evolve.ts';
export type { InventoryTables } from './tables.ts';
