export {
  createCatalogViewService,
  ownedTopics,
  type CatalogViewService,
  type CatalogViewServiceOptions,
} from './catalog-view-service.ts';
export type { CatalogViewTables } from './tables.ts';
