import type { Generated } from 'kysely';
import type { Database, Migrations } from '../database.ts';

export interface SampleTables {
  accounts: { id: string; balance: number; note: string | null };
  journal: { id: Generated<number>; account: string; amount: number };
}

export interface DatabaseSubject extends AsyncDisposable {
  /** Opens another handle on the same data, as another process would. Disposing the subject closes all handles. */
  open(): Database<SampleTables>;
}

export type CreateSubject = () => Promise<DatabaseSubject>;

export const sampleMigrations: Migrations = {
  '0001-accounts': {
    async up(db) {
      await db.schema
        .createTable('accounts')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('balance', 'bigint', (column) => column.notNull())
        .addColumn('note', 'text')
        .execute();
    },
  },
  '0002-journal': {
    async up(db, dialect) {
      await db.schema
        .createTable('journal')
        .addColumn('id', dialect === 'postgres' ? 'bigserial' : 'integer', (column) => column.primaryKey())
        .addColumn('account', 'text', (column) => column.notNull().references('accounts.id'))
        .addColumn('amount', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
};

/** Creates a subject and a migrated database from it. */
export async function migrated(
  create: CreateSubject,
): Promise<{ subject: DatabaseSubject; database: Database<SampleTables> } & AsyncDisposable> {
  const subject = await create();
  const database = subject.open();
  await database.migrate(sampleMigrations);
  return { subject, database, [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose]() };
}

export async function balanceOf(database: Database<SampleTables>, id: string): Promise<number | undefined> {
  const row = await database.query
    .selectFrom('accounts')
    .select('balance')
    .where('id', '=', id)
    .executeTakeFirst();
  return row?.balance;
}
