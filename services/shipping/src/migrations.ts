import type { Migrations } from '@tidegate/database';
import { outboxMigrations } from '@tidegate/messaging';

export const migrations: Migrations = {
  ...outboxMigrations,
  'shipping-0001-shipments': {
    async up(db) {
      await db.schema
        .createTable('shipments')
        .addColumn('order_id', 'text', (column) => column.primaryKey())
        .addColumn('shipment_id', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('due_at', 'bigint')
        .addColumn('sequence', 'integer', (column) => column.notNull())
        .addColumn('cause_id', 'text', (column) => column.notNull())
        .addColumn('traceparent', 'text')
        .execute();
      // A partial index: finding due shipments stays cheap however many are delivered.
      await db.schema
        .createIndex('shipments_due')
        .on('shipments')
        .column('due_at')
        .where('due_at', 'is not', null)
        .execute();
    },
  },
};
