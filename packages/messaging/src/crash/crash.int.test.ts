import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { topicSpecs } from '@tidegate/core';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { postgresUrlFromEnv, temporaryDirectory } from '@tidegate/testing';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { allTopics, type SampleTables } from '../conformance/subject.ts';
import { countAfterwards, killRepeatedly } from './kill-and-count.fixture.ts';

const url = postgresUrlFromEnv();

describe.skipIf(url === undefined)('on a real Postgres a process killed with SIGKILL repeatedly', () => {
  it('publishes every committed event once and in order per key', { timeout: 120_000 }, async () => {
    await using directory = await temporaryDirectory();
    const schema = `test-${randomUUID().slice(0, 8)}`;
    const logPath = join(directory.path, 'log.db');
    const log = createSqliteEventLog({ path: logPath, logger: silentLogger });
    await log.ensureTopics(topicSpecs(allTopics, 3));
    await killRepeatedly(4, { DATABASE_URL: url!, SCHEMA: schema, LOG_PATH: logPath });
    const database = createPostgresDatabase<SampleTables>({ url: url!, schema });
    const { committed, ...wrong } = await countAfterwards(database, log);
    console.log('Postgres, publish-then-mark, killed 4 times:', { committed, ...wrong });
    await sql`drop schema ${sql.id(schema)} cascade`.execute(database.query);
    await database.close();
    await log.close();
    expect(committed).toBeGreaterThan(4 * 200);
    expect(wrong).toEqual({ lost: 0, repeated: 0, inverted: 0 });
  });
});
