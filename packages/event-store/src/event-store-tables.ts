import type { Migrations } from '@tidegate/database';

export interface EventStoreTables {
  /** One row per stream. Its lock serialises the writers of the stream. */
  streams: { stream: string; version: number };
  events: {
    stream: string;
    version: number;
    /** The whole envelope in JSON. */
    envelope: string;
    /** Epoch milliseconds. */
    recorded_at: number;
  };
}

/** Migrations that create the tables of the event store. */
export const eventStoreMigrations: Migrations = {
  '0001-event-store': {
    async up(db) {
      await db.schema
        .createTable('streams')
        .addColumn('stream', 'text', (column) => column.primaryKey())
        .addColumn('version', 'integer', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('events')
        .addColumn('stream', 'text', (column) => column.notNull().references('streams.stream'))
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('envelope', 'text', (column) => column.notNull())
        .addColumn('recorded_at', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('events_pk', ['stream', 'version'])
        .execute();
    },
  },
};
