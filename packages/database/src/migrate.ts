import { sql, type Transaction } from 'kysely';
import type { Dialect, Migrations, Tables } from './database.ts';

/** First key of the advisory lock; the hash of the schema's name is the second. */
const MIGRATION_LOCK = 0x7469;

/**
 * Applies the migrations that are missing, inside the given transaction. On Postgres an advisory lock makes a second
 * process wait and then find the migrations applied; on SQLite the write lock does the same.
 */
export async function applyMigrations(
  tx: Transaction<Tables>,
  dialect: Dialect,
  migrations: Migrations,
): Promise<void> {
  if (dialect === 'postgres') {
    await sql`select pg_advisory_xact_lock(${sql.lit(MIGRATION_LOCK)}, hashtext(current_schema()))`.execute(
      tx,
    );
  }
  await tx.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('applied_at', 'bigint', (column) => column.notNull())
    .execute();
  const rows: { name: string }[] = await tx.selectFrom('migrations').select('name').execute();
  const applied = new Set(rows.map((row) => row.name));
  for (const name of Object.keys(migrations).toSorted()) {
    if (applied.has(name)) continue;
    await migrations[name]!.up(tx, dialect);
    await tx.insertInto('migrations').values({ name, applied_at: Date.now() }).execute();
  }
}
