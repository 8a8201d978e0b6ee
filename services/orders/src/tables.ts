import type { EventStoreTables } from '@tidegate/event-store';
import type { OutboxTables } from '@tidegate/messaging';

/** The outcome of every command, for ever the same for the same id. */
export interface CommandsTable {
  command_id: string;
  /** Who asked: only the same actor is given the first outcome again. */
  actor_id: string;
  /** Whom the outcome concerns: who may be told of it. */
  customer_id: string;
  command: string;
  /** A CommandResult as JSON. */
  result: string;
  created_at: number;
}

export interface OrdersTables extends EventStoreTables, OutboxTables {
  commands: CommandsTable;
}
