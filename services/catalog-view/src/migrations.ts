import type { Migrations } from '@tidegate/database';
import { outboxMigrations } from '@tidegate/messaging';

export const migrations: Migrations = {
  ...outboxMigrations,
  'catalog-view-0001-documents': {
    async up(db) {
      await db.schema
        .createTable('product_documents')
        .addColumn('product_id', 'text', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('category', 'text', (column) => column.notNull())
        .addColumn('document', 'text', (column) => column.notNull())
        .execute();
      const filters = { all: [], category: ['category'] } as const;
      for (const [name, columns] of Object.entries(filters)) {
        await db.schema
          .createIndex(`product_documents_by_${name}`)
          .on('product_documents')
          .columns([...columns, 'name', 'product_id'])
          .execute();
      }
    },
  },
};
