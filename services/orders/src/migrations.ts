import type { Migrations } from '@tidegate/database';
import { eventStoreMigrations } from '@tidegate/event-store';
import { outboxMigrations } from '@tidegate/messaging';

export const migrations: Migrations = {
  ...outboxMigrations,
  ...eventStoreMigrations,
  'orders-0001-commands': {
    async up(db) {
      await db.schema
        .createTable('commands')
        .addColumn('command_id', 'text', (column) => column.primaryKey())
        .addColumn('actor_id', 'text', (column) => column.notNull())
        .addColumn('customer_id', 'text', (column) => column.notNull())
        .addColumn('command', 'text', (column) => column.notNull())
        .addColumn('result', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
  'orders-0002-product-prices': {
    async up(db) {
      await db.schema
        .createTable('product_prices')
        .addColumn('product_id', 'text', (column) => column.primaryKey())
        .addColumn('unit_price_cents', 'bigint', (column) => column.notNull())
        .addColumn('version', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
};
