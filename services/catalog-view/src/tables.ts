import type { OutboxTables } from '@tidegate/messaging';

export interface ProductDocumentsTable {
  product_id: string;
  name: string;
  category: string;
  /** The `ProductDocument` as JSON. The columns above copy fields that lists use. */
  document: string;
}

export interface CatalogViewTables extends OutboxTables {
  product_documents: ProductDocumentsTable;
}
