import { randomUUID } from 'node:crypto';
import { postgresUrlFromEnv } from '@tidegate/testing';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleMigrations, type SampleTables } from '../conformance/subject.ts';
import { createPostgresDatabase } from '../postgres.ts';
import { hasPgBouncer, startPgBouncer } from './pgbouncer.fixture.ts';

const url = postgresUrlFromEnv();
if (!url) console.warn('SKIPPED: the schema of Postgres connections; DATABASE_URL is not set');
else if (!hasPgBouncer && process.env['REQUIRE_STACK'] === '1') throw new Error('pgbouncer is not installed');
else if (!hasPgBouncer) console.warn('SKIPPED: Postgres behind PgBouncer; pgbouncer is not installed');

describe.skipIf(!url)('the schema of a Postgres database', () => {
  const schema = `test-${randomUUID().slice(0, 8)}`;
  let admin: pg.Client;
  beforeAll(async () => {
    admin = new pg.Client(url);
    await admin.connect();
  });
  afterAll(async () => {
    await admin.query(`drop schema if exists "${schema}" cascade`);
    await admin.end();
  });

  const schemasOf = async (table: string): Promise<string[]> => {
    const { rows } = await admin.query<{ schemaname: string }>(
      'select schemaname from pg_tables where tablename = $1',
      [table],
    );
    return rows.map(({ schemaname }) => schemaname);
  };
  const inPublic = async (): Promise<boolean> => (await schemasOf('accounts')).includes('public');

  it('is used as well when the URL has `options` of its own, which stay in force', async () => {
    const withOptions = new URL(url!);
    withOptions.searchParams.set('options', '-c search_path=public -c work_mem=5MB');
    const database = createPostgresDatabase<SampleTables>({ url: withOptions.href, schema });
    try {
      await database.migrate(sampleMigrations);
      const { rows } = await sql<{ schema: string; memory: string }>`
        select current_schema() as schema, current_setting('work_mem') as memory`.execute(database.query);
      expect(rows).toEqual([{ schema, memory: '5MB' }]);
      expect(await inPublic()).toBe(false);
    } finally {
      await database.close();
    }
  });

  it.skipIf(!hasPgBouncer).each([
    ['drops', ['extra_float_digits', 'options', 'statement_timeout', 'idle_in_transaction_session_timeout']],
    ['refuses', ['extra_float_digits']],
  ])(
    'is missing behind a pooler that %s start-up parameters: told, and nothing is built',
    async (_, ignored) => {
      await using pooler = await startPgBouncer(url!, ignored);
      const database = createPostgresDatabase<SampleTables>({ url: pooler.url, schema });
      try {
        await expect(database.migrate(sampleMigrations)).rejects.toMatchObject({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(/pooler.*session mode/s) as string,
        });
        expect(await inPublic()).toBe(false);
      } finally {
        await database.close();
      }
    },
  );
});
