import type { Dialect, Migrations } from '@tidegate/database';
import { outboxMigrations } from '@tidegate/messaging';
import { sql, type Kysely } from 'kysely';
import type { WebhookTables } from './tables.ts';

/** Creates the tables of `WebhookTables`. */
export const webhookMigrations: Migrations = {
  ...outboxMigrations,
  '0101-webhook-endpoints': {
    async up(db) {
      await createEndpoints(db);
      await createRevision(db);
    },
  },
  '0102-webhook-deliveries': {
    async up(db, dialect) {
      await createChanges(db);
      await createDeliveries(db, dialect);
      await createDeliveryIndexes(db);
      await createAttempts(db);
    },
  },
  '0103-webhook-viewer': {
    // Endpoints from before have no claims. Where rights depend on claims they select nothing until they are enabled anew.
    async up(db) {
      await db.schema
        .alterTable('webhook_endpoints')
        .addColumn('claims', 'text', (column) => column.notNull().defaultTo('{}'))
        .execute();
      await db.schema.alterTable('webhook_endpoints').addColumn('token_id', 'text').execute();
      await db.schema
        .alterTable('webhook_endpoints')
        .addColumn('token_issued_at', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema.alterTable('webhook_endpoints').addColumn('paused_by', 'text').execute();
    },
  },
  '0104-webhook-resend': {
    async up(db) {
      await db.schema
        .alterTable('webhook_deliveries')
        .addColumn('attempts_before', 'integer', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  },
  '0105-webhook-older-secrets': {
    async up(db) {
      await db.schema
        .alterTable('webhook_endpoints')
        .addColumn('older_secrets', 'text', (column) => column.notNull().defaultTo('[]'))
        .execute();
      // A sealed secret has no character that JSON escapes.
      await sql`update webhook_endpoints
        set older_secrets = '[{"secret":"' || previous_secret || '","until":' || previous_secret_until || '}]'
        where previous_secret is not null and previous_secret_until is not null`.execute(db);
      await db.schema.alterTable('webhook_endpoints').dropColumn('previous_secret').execute();
      await db.schema.alterTable('webhook_endpoints').dropColumn('previous_secret_until').execute();
    },
  },
  '0106-webhook-heads': {
    async up(db) {
      // A dispatcher of an earlier version, still running, inserts rows that can be claimed.
      await db.schema
        .alterTable('webhook_deliveries')
        .addColumn('is_head', 'integer', (column) => column.notNull().defaultTo(1))
        .execute();
      await sql`update webhook_deliveries set is_head = 0 where status = 'pending' and exists (
        select 1 from webhook_deliveries as earlier where earlier.status = 'pending'
        and earlier.endpoint_id = webhook_deliveries.endpoint_id
        and earlier.ordering_key = webhook_deliveries.ordering_key and earlier.seq < webhook_deliveries.seq
      )`.execute(db);
      await sql`drop index webhook_deliveries_due`.execute(db);
      await sql`create index webhook_deliveries_due on webhook_deliveries (next_attempt_at)
        where status = 'pending' and is_head = 1`.execute(db);
      await sql`create index webhook_deliveries_heads on webhook_deliveries (endpoint_id, next_attempt_at, seq)
        where status = 'pending' and is_head = 1`.execute(db);
      // Delivered ones are most of the finished: counting and resending the dead must not read them.
      await sql`create index webhook_deliveries_dead on webhook_deliveries (endpoint_id)
        where status = 'dead'`.execute(db);
    },
  },
};

async function createEndpoints(db: Kysely<WebhookTables>): Promise<void> {
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
}

async function createRevision(db: Kysely<WebhookTables>): Promise<void> {
  await db.schema
    .createTable('webhook_revision')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  await db.insertInto('webhook_revision').values({ id: 1, revision: 0 }).execute();
}

async function createChanges(db: Kysely<WebhookTables>): Promise<void> {
  await db.schema
    .createTable('webhook_changes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('envelope', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
}

async function createDeliveries(db: Kysely<WebhookTables>, dialect: Dialect): Promise<void> {
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
}

async function createDeliveryIndexes(db: Kysely<WebhookTables>): Promise<void> {
  // Most rows are finished and no work is left for them: partial indexes keep both queries of the queue small.
  await sql`create index webhook_deliveries_due on webhook_deliveries (next_attempt_at, seq)
    where status = 'pending'`.execute(db);
  await sql`create index webhook_deliveries_order on webhook_deliveries (endpoint_id, ordering_key, seq)
    where status = 'pending'`.execute(db);
  await sql`create index webhook_deliveries_finished on webhook_deliveries (finished_at)
    where status <> 'pending'`.execute(db);
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
}

async function createAttempts(db: Kysely<WebhookTables>): Promise<void> {
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
}
