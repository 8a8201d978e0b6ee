import type { OutboxTables } from '@tidegate/messaging';

export interface OrderDocumentsTable {
  order_id: string;
  /** Version of the document; 0 before OrderPlaced has arrived. */
  version: number;
  /** Version of the orders stream in the version vector, for reads that demand a version. */
  orders_version: number;
  /** `OrderParts` as JSON: the state of the join. */
  parts: string;
  /** The `OrderDocument` as JSON; null while the version is 0. The columns below copy fields that lists use. */
  document: string | null;
  customer_id: string | null;
  status: string | null;
  placed_at: string | null;
}

/** One row per partition number, see `PartitionLocks`. */
export interface PartitionGuardsTable {
  partition: number;
}

export interface OrderViewTables extends OutboxTables {
  order_documents: OrderDocumentsTable;
  partition_guards: PartitionGuardsTable;
}
