import type { OutboxTables } from '@tidegate/messaging';

export interface ProductsTable {
  product_id: string;
  name: string;
  received: number;
  available: number;
  reserved: number;
  sold: number;
  /** Sequence of the product's last message; grows by one with each message. */
  sequence: number;
}

export interface ReservationsTable {
  order_id: string;
  status: 'reserved' | 'rejected' | 'released' | 'sold';
  /** `Quantities` as JSON pairs, sorted by product id. */
  quantities: string;
  /** Sequence of the reservation's last event. */
  sequence: number;
}

/** A single row. Every transaction that changes stock locks it first. */
export interface StockGuardTable {
  id: number;
}

export interface InventoryTables extends OutboxTables {
  products: ProductsTable;
  reservations: ReservationsTable;
  stock_guard: StockGuardTable;
}
