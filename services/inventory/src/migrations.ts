import type { Migrations } from '@tidegate/database';
import { outboxMigrations } from '@tidegate/messaging';

export const migrations: Migrations = {
  ...outboxMigrations,
  'inventory-0001-stock': {
    async up(db) {
      await db.schema
        .createTable('products')
        .addColumn('product_id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('received', 'bigint', (column) => column.notNull())
        .addColumn('available', 'bigint', (column) => column.notNull())
        .addColumn('reserved', 'bigint', (column) => column.notNull())
        .addColumn('sold', 'bigint', (column) => column.notNull())
        .addColumn('sequence', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('reservations')
        .addColumn('order_id', 'text', (column) => column.primaryKey())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('quantities', 'text', (column) => column.notNull())
        .addColumn('sequence', 'integer', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('stock_guard')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .execute();
      await db.insertInto('stock_guard').values({ id: 1 }).execute();
    },
  },
};
