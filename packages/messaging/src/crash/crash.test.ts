import { join } from 'node:path';
import { topicSpecs } from '@tidegate/core';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { allTopics, type SampleTables } from '../conformance/subject.ts';
import { countAfterwards, killRepeatedly, type CrashCount } from './kill-and-count.fixture.ts';

async function crash(kills: number, order: string): Promise<CrashCount> {
  await using directory = await temporaryDirectory();
  const paths = {
    DATABASE_PATH: join(directory.path, 'service.db'),
    LOG_PATH: join(directory.path, 'log.db'),
  };
  const log = createSqliteEventLog({ path: paths.LOG_PATH, logger: silentLogger });
  await log.ensureTopics(topicSpecs(allTopics, 3));
  await killRepeatedly(kills, { ...paths, ORDER: order });
  const database = createSqliteDatabase<SampleTables>({ path: paths.DATABASE_PATH });
  const count = await countAfterwards(database, log);
  await database.close();
  await log.close();
  console.log(`SQLite, ${order}, killed ${kills} times:`, count);
  return count;
}

describe('a process killed with SIGKILL repeatedly', () => {
  it('publishes every committed event once and in order per key', { timeout: 120_000 }, async () => {
    const { committed, ...wrong } = await crash(5, 'publish-then-mark');
    expect(committed).toBeGreaterThan(5 * 200);
    expect(wrong).toEqual({ lost: 0, repeated: 0, inverted: 0 });
  });

  it(
    'loses events when a relay deletes rows before it publishes them, which proves that the test above can fail',
    { timeout: 120_000 },
    async () => {
      let lost = 0;
      for (let round = 0; round < 8 && lost === 0; round++) ({ lost } = await crash(3, 'mark-then-publish'));
      expect(lost).toBeGreaterThan(0);
    },
  );
});
