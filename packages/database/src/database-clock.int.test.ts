import { clockShiftedBy, postgresUrlFromEnv, startChild } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { DatabaseClock } from './database-clock.ts';
import { createPostgresDatabase } from './postgres.ts';

const url = postgresUrlFromEnv();

describe.skipIf(url === undefined)('the clock of the database', () => {
  it.each([
    ['an hour ahead', '+3600s', 3_600_000],
    ['an hour behind', '-3600s', -3_600_000],
  ])('is that of the server in a process whose own is %s', async (_name, shift, differenceMs) => {
    await using child = startChild('packages/database/src/skewed-clock.fixture.ts', {
      DATABASE_URL: url!,
      ...clockShiftedBy(shift),
    });
    const line = await child.waitForLine('ahead by ');
    expect(Math.abs(Number(line.slice('ahead by '.length)) - differenceMs)).toBeLessThan(2_000);
  });

  it('cannot be read while the server is away', async () => {
    const database = createPostgresDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', schema: 'away' });
    const clock = new DatabaseClock(database);
    await expect(clock.start()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
    await database.close();
  });

  it('goes on when it is not read any more', async () => {
    const database = createPostgresDatabase({ url: url!, schema: 'skewed_clock' });
    const clock = new DatabaseClock(database);
    await clock.start();
    await clock.start();
    clock.stop();
    await database.close();
    const before = clock.now();
    expect(Math.abs(before - Date.now())).toBeLessThan(2_000);
    expect(clock.now()).toBeGreaterThanOrEqual(before);
  });
});
