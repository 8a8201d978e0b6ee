import type { Migrations } from '@tidegate/database';
import { sql, type Generated } from 'kysely';

export interface OutboxTables {
  /** Committed events that are not known to be in the log. A row is deleted once it is published. */
  outbox: OutboxTable;
  /** Ids of messages whose effects are committed. */
  inbox: InboxTable;
}

export interface OutboxTable {
  /** Ascends per key in the order of commits: rows are inserted under the aggregate's row lock. */
  id: Generated<number>;
  /** Hash of the key, 0 to 63. Shards divide the buckets among them. */
  bucket: number;
  topic: string;
  key: string;
  value: string;
  /** JSON object of strings. */
  headers: string;
  /** Epoch milliseconds. */
  created_at: number;
  /** Reason why the log rejects the record permanently; such a row is kept for manual repair. */
  refused: string | null;
}

export interface InboxTable {
  consumer: string;
  source: string;
  id: string;
  /** Epoch milliseconds. */
  handled_at: number;
}

/** Migrations that create the tables of the outbox and the inbox. */
export const outboxMigrations: Migrations = {
  '0001-outbox': {
    async up(db, dialect) {
      await db.schema
        .createTable('outbox')
        // AUTOINCREMENT: the id of a deleted row is never reused.
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
      // Rows live for milliseconds. Autovacuum's default, a fifth of the table, would let dead rows pile up.
      if (dialect === 'postgres') {
        await sql`alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`.execute(
          db,
        );
      }
    },
  },
};
