export { createCatalogViewService } from './catalog-view-service.ts';
export type { CatalogViewTables } from './tables.ts';
