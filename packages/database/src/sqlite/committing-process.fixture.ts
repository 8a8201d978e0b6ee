import { createSqliteDatabase } from '../sqlite.ts';
import { sampleMigrations, type SampleTables } from '../conformance/subject.ts';

/** Commits transactions in a loop and prints the number of each after its commit, until it is killed. */
const database = createSqliteDatabase<SampleTables>({ path: process.env['DATABASE_PATH']! });
await database.migrate(sampleMigrations);
const last = await database.query
  .selectFrom('accounts')
  .select((select) => select.fn.countAll<number>().as('rows'))
  .executeTakeFirstOrThrow();
for (let n = last.rows; ; n++) {
  await database.transaction(async ({ tx }) => {
    await tx
      .insertInto('accounts')
      .values({ id: `a${n}`, balance: n, note: null })
      .execute();
    await tx
      .insertInto('journal')
      .values({ account: `a${n}`, amount: n })
      .execute();
  });
  process.stdout.write(`committed ${n}\n`);
}
