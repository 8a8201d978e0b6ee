import type { Migrations } from '@tidegate/database';
import { outboxMigrations, type OutboxTables } from '@tidegate/messaging';
import { sql, type Generated } from 'kysely';

/** The inbox of the dispatcher's consumer lies in the same database: a delivery is queued once per change. */
export interface WebhookTables extends OutboxTables {
  webhook_endpoints: EndpointRow;
  /** One row: counts changes of endpoints, so that whoever holds them in memory knows when to look again. */
  webhook_revision: { id: number; revision: number };
  webhook_changes: ChangeRow;
  webhook_deliveries: DeliveryTable;
  webhook_attempts: AttemptRow;
}

export interface EndpointRow {
  id: string;
  /** The subject of the partner's token. */
  partner: string;
  url: string;
  bff: string;
  document: string;
  operation_name: string | null;
  /** JSON object. */
  variables: string;
  status: 'enabled' | 'disabled';
  disabled_reason: string | null;
  secret: string;
  /** Signs too until `previous_secret_until`. */
  previous_secret: string | null;
  previous_secret_until: number | null;
  /** The log's incarnation and its ends at registration: JSON `{ epoch, offsets }`. Changes before are not for it. */
  starts_at: string;
  /** When its first attempt failed after the last success. */
  failing_since: number | null;
  created_at: number;
  /** The value of `webhook_revision` that its last change gave it. */
  revision: number;
}

/** A change that at least one endpoint wants, kept once for all of them. */
export interface ChangeRow {
  id: string;
  /** The CloudEvent as JSON. */
  envelope: string;
  created_at: number;
}

export interface DeliveryTable {
  /** Ascending in the order of consumption, which is the order of versions for one key. */
  seq: Generated<number>;
  /** The `webhook-id`. */
  id: string;
  endpoint_id: string;
  /** Topic and key: deliveries of an endpoint with equal ordering keys go out one after the other. */
  ordering_key: string;
  change_id: string | null;
  event_id: string;
  subject: string;
  sequence: number;
  status: DeliveryStatus;
  attempts: number;
  next_attempt_at: number;
  lease_owner: string | null;
  lease_until: number;
  /** What is sent: written at the first failure, so that every retry sends the same bytes. */
  body: string | null;
  created_at: number;
  finished_at: number | null;
}

export type DeliveryStatus = 'pending' | 'delivered' | 'dead';

export interface AttemptRow {
  delivery_seq: number;
  number: number;
  at: number;
  duration_ms: number;
  http_status: number | null;
  /** One of `AttemptError`; null when the attempt delivered. */
  error: string | null;
  message: string | null;
}

export const webhookMigrations: Migrations = {
  ...outboxMigrations,
  '0101-webhook-endpoints': {
    async up(db) {
      await db.schema
        .createTable('webhook_endpoints')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('partner', 'text', (column) => column.notNull())
        .addColumn('url', 'text', (column) => column.notNull())
        .addColumn('bff', 'text', (column) => column.notNull())
        .addColumn('document', 'text', (column) => column.notNull())
        .addColumn('operation_name', 'text')
        .addColumn('variables', 'text', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('disabled_reason', 'text')
        .addColumn('secret', 'text', (column) => column.notNull())
        .addColumn('previous_secret', 'text')
        .addColumn('previous_secret_until', 'bigint')
        .addColumn('starts_at', 'text', (column) => column.notNull())
        .addColumn('failing_since', 'bigint')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createIndex('webhook_endpoints_by_partner')
        .on('webhook_endpoints')
        .columns(['partner', 'created_at'])
        .execute();
      await db.schema
        .createTable('webhook_revision')
        .addColumn('id', 'integer', (column) => column.primaryKey())
        .addColumn('revision', 'bigint', (column) => column.notNull())
        .execute();
      await db.insertInto('webhook_revision').values({ id: 1, revision: 0 }).execute();
    },
  },
  '0102-webhook-deliveries': {
    async up(db, dialect) {
      await db.schema
        .createTable('webhook_changes')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('envelope', 'text', (column) => column.notNull())
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('webhook_deliveries')
        .addColumn('seq', dialect === 'postgres' ? 'bigserial' : 'integer', (column) =>
          dialect === 'postgres' ? column.primaryKey() : column.primaryKey().autoIncrement(),
        )
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('endpoint_id', 'text', (column) => column.notNull())
        .addColumn('ordering_key', 'text', (column) => column.notNull())
        .addColumn('change_id', 'text')
        .addColumn('event_id', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('sequence', 'bigint', (column) => column.notNull())
        .addColumn('status', 'text', (column) => column.notNull())
        .addColumn('attempts', 'integer', (column) => column.notNull())
        .addColumn('next_attempt_at', 'bigint', (column) => column.notNull())
        .addColumn('lease_owner', 'text')
        .addColumn('lease_until', 'bigint', (column) => column.notNull())
        .addColumn('body', 'text')
        .addColumn('created_at', 'bigint', (column) => column.notNull())
        .addColumn('finished_at', 'bigint')
        .execute();
      // What is finished is most of the table and none of the work: both indexes of the queue leave it out.
      await sql`create index webhook_deliveries_due on webhook_deliveries (next_attempt_at, seq)
        where status = 'pending'`.execute(db);
      await sql`create index webhook_deliveries_order on webhook_deliveries (endpoint_id, ordering_key, seq)
        where status = 'pending'`.execute(db);
      await db.schema
        .createIndex('webhook_deliveries_by_endpoint')
        .on('webhook_deliveries')
        .columns(['endpoint_id', 'seq'])
        .execute();
      await db.schema
        .createIndex('webhook_deliveries_by_change')
        .on('webhook_deliveries')
        .column('change_id')
        .execute();
      await sql`create index webhook_deliveries_finished on webhook_deliveries (finished_at)
        where status <> 'pending'`.execute(db);
      await db.schema
        .createTable('webhook_attempts')
        .addColumn('delivery_seq', 'bigint', (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('at', 'bigint', (column) => column.notNull())
        .addColumn('duration_ms', 'integer', (column) => column.notNull())
        .addColumn('http_status', 'integer')
        .addColumn('error', 'text')
        .addColumn('message', 'text')
        .addPrimaryKeyConstraint('webhook_attempts_pk', ['delivery_seq', 'number'])
        .execute();
    },
  },
};
