import type { OutboxTables } from '@tidegate/messaging';

export interface ProductsTable {
  product_id: string;
  name: string;
  received: number;
  available: number;
  reserved: number;
  sold: number;
  /** Version of the product's stream: dense, one more with every message about it. */
  sequence: number;
}

export interface ReservationsTable {
  order_id: string;
  status: 'reserved' | 'rejected' | 'released' | 'sold';
  /** Quantities by product id, as JSON pairs in the order of the ids. */
  quantities: string;
  /** Version of the order's stream here. */
  sequence: number;
}

/** One row that every change of stock locks first. */
export interface StockGuardTable {
  id: number;
}

export interface InventoryTables extends OutboxTables {
  products: ProductsTable;
  reservations: ReservationsTable;
  stock_guard: StockGuardTable;
}
