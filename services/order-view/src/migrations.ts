import type { Migrations } from '@tidegate/database';
import { outboxMigrations } from '@tidegate/messaging';

export const migrations: Migrations = {
  ...outboxMigrations,
  'order-view-0001-documents': {
    async up(db) {
      await db.schema
        .createTable('order_documents')
        .addColumn('order_id', 'text', (column) => column.primaryKey())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('orders_version', 'integer', (column) => column.notNull())
        .addColumn('parts', 'text', (column) => column.notNull())
        .addColumn('document', 'text')
        .addColumn('customer_id', 'text')
        .addColumn('status', 'text')
        .addColumn('placed_at', 'text')
        .execute();
      // Lists are sorted by (placed_at, order_id): each filter has an index that ends with these columns.
      const filters = { all: [], customer: ['customer_id'], status: ['status'] } as const;
      for (const [name, columns] of Object.entries(filters)) {
        await db.schema
          .createIndex(`order_documents_by_${name}`)
          .on('order_documents')
          .columns([...columns, 'placed_at', 'order_id'])
          .where('placed_at', 'is not', null)
          .execute();
      }
      await db.schema
        .createTable('partition_guards')
        .addColumn('partition', 'integer', (column) => column.primaryKey())
        .execute();
    },
  },
};
