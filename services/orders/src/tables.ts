import type { EventStoreTables } from '@tidegate/event-store';
import type { OutboxTables } from '@tidegate/messaging';

/** One row per command id with its first outcome. Rows are never updated. */
export interface CommandsTable {
  command_id: string;
  /** The actor that sent the command. Repeats by another actor are rejected. */
  actor_id: string;
  /** Customer with access to the outcome. */
  customer_id: string;
  command: string;
  /** The `CommandResult` as JSON. */
  result: string;
  created_at: number;
}

/** One row per product of the catalogue. */
export interface ProductPricesTable {
  product_id: string;
  unit_price_cents: number;
  /** Version of the product's document that the price is of. */
  version: number;
}

export interface OrdersTables extends EventStoreTables, OutboxTables {
  commands: CommandsTable;
  product_prices: ProductPricesTable;
}
