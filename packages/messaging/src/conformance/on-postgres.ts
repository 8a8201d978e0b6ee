import { randomUUID } from 'node:crypto';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { sql } from 'kysely';
import { openOnFiles } from './on-sqlite.ts';
import type { OutboxSubject, SampleTables } from './subject.ts';

/** Opens the database in a new schema, dropped on dispose, and the log on a file. */
export async function openOnPostgres(url: string): Promise<OutboxSubject> {
  const schema = `test-${randomUUID().slice(0, 8)}`;
  const open = () => createPostgresDatabase<SampleTables>({ url, schema });
  return openOnFiles(open, async () => {
    const database = open();
    await sql`drop schema ${sql.id(schema)} cascade`.execute(database.query);
    await database.close();
  });
}
