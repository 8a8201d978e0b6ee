import type { Migrations } from '@tidegate/database';
import { outboxMigrations } from '@tidegate/messaging';

export const migrations: Migrations = {
  ...outboxMigrations,
  'payments-0001-payments': {
    async up(db) {
      await db.schema
        .createTable('payments')
        .addColumn('order_id', 'text', (column) => column.primaryKey())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('work', 'text')
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('next_attempt_at', 'bigint')
        .addColumn('amount_cents', 'bigint', (column) => column.notNull())
        .addColumn('requested_at', 'bigint', (column) => column.notNull())
        .addColumn('sequence', 'integer', (column) => column.notNull())
        .addColumn('cause_id', 'text', (column) => column.notNull())
        .addColumn('traceparent', 'text')
        .execute();
      // A partial index: finding due work stays cheap however many payments are done.
      await db.schema
        .createIndex('payments_due')
        .on('payments')
        .column('next_attempt_at')
        .where('next_attempt_at', 'is not', null)
        .execute();
    },
  },
};
