import { randomUUID } from 'node:crypto';
import type { Database } from '@tidegate/database';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { postgresUrlFromEnv } from '@tidegate/testing';
import { sql } from 'kysely';
import { describe } from 'vitest';
import { describeEventStore } from './conformance.ts';
import type { EventStoreTables } from './event-store-tables.ts';

const url = postgresUrlFromEnv();

describe.skipIf(url === undefined)('with a real Postgres (DATABASE_URL)', () => {
  describeEventStore('Postgres', async () => {
    const schema = `test-${randomUUID().slice(0, 8)}`;
    const databases: Database<EventStoreTables>[] = [];
    const open = () => {
      const database = createPostgresDatabase<EventStoreTables>({ url: url!, schema });
      databases.push(database);
      return database;
    };
    return {
      open,
      async [Symbol.asyncDispose]() {
        await sql`drop schema ${sql.id(schema)} cascade`.execute(open().query);
        for (const database of databases) await database.close();
      },
    };
  });
});
