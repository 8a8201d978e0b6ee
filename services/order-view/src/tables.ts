import type { OutboxTables } from '@tidegate/messaging';

export interface OrderDocumentsTable {
  order_id: string;
  /** Version of the document; 0 while the order itself has not arrived. */
  version: number;
  /** Of the orders stream, from the version vector: what reads that wait look at. */
  orders_version: number;
  /** OrderParts as JSON: what the join knows. */
  parts: string;
  /** The OrderDocument as JSON, and of it what lists filter and sort by; null while the version is 0. */
  document: string | null;
  customer_id: string | null;
  status: string | null;
  placed_at: string | null;
}

/** One row a partition, which every transaction that joins its orders locks first. */
export interface PartitionGuardsTable {
  partition: number;
}

export interface OrderViewTables extends OutboxTables {
  order_documents: OrderDocumentsTable;
  partition_guards: PartitionGuardsTable;
}
