import { sql, type Transaction } from 'kysely';
import type { Dialect, Migrations, Tables } from './database.ts';

/** Any number that no other advisory lock of the schema uses; the schema's own id keeps services apart. */
const MIGRATION_LOCK = 0x7469;

/**
 * Runs what has not run yet, inside the transaction given: on SQLite it is alone in writing by itself, on Postgres an
 * advisory lock makes a second process wait and then find the work done.
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
