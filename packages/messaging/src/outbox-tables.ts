import type { Migrations } from '@tidegate/database';
import { sql, type Generated } from 'kysely';

export interface OutboxTables {
  /** What was committed and is not known to be in the log yet; a row is deleted when it is. */
  outbox: OutboxTable;
  /** Ids of messages whose effects are committed. */
  inbox: InboxTable;
}

export interface OutboxTable {
  /** Ascending per key in the order of commits, because rows are inserted under the aggregate's row lock. */
  id: Generated<number>;
  /** Hash of the key, 0 to 63; shards share the buckets out. */
  bucket: number;
  topic: string;
  key: string;
  value: string;
  /** JSON object of strings. */
  headers: string;
  created_at: number;
  /** Why the log will never take it; kept for whoever repairs it. */
  refused: string | null;
}

export interface InboxTable {
  consumer: string;
  source: string;
  id: string;
  handled_at: number;
}

export const outboxMigrations: Migrations = {
  '0001-outbox': {
    async up(db, dialect) {
      await db.schema
        .createTable('outbox')
        // AUTOINCREMENT: an id is never used again after its row was deleted.
        .addColumn('id', dialect === 'postgres' ? 'bigserial' : 'integer', (column) =>
          dialect === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
        )
        .addColumn('bucket', 'integer', (column) => column.notNull())
        .addColumn('topic', 'text', (column) => column.notNull())
        .addColumn('key', 'text', (column) => column.notNull())
        .addColumn('value', 'text', (column) => column.notNull())
        .addColumn('headers', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('refused', 'text')
        .execute();
      await db.schema
        .createTable('inbox')
        .addColumn('consumer', 'text', (column) => column.notNull())
        .addColumn('source', 'text', (column) => column.notNull())
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('handled_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('inbox_pk', ['consumer', 'source', 'id'])
        .execute();
      await db.schema.createIndex('inbox_by_age').on('inbox').columns(['consumer', 'handled_at']).execute();
      // Rows live for milliseconds: the default of a fifth of the table dead would let thousands pile up unseen.
      if (dialect === 'postgres') {
        await sql`alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`.execute(
          db,
        );
      }
    },
  },
};
