import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { describeEventLog } from '../conformance.ts';
import { createSqliteEventLog } from '../sqlite.ts';
import { withPrefixes } from './prefixed-event-log.ts';

const prefixes = { topicPrefix: 'eu.', groupPrefix: 'eu-' };

describeEventLog('SQLite under prefixes', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'events.db');
  return {
    open: async () =>
      withPrefixes(createSqliteEventLog({ path, logger: silentLogger, heartbeatMs: 50 }), prefixes),
    async deleteBefore(topic, partition, offset) {
      const database = new DatabaseSync(path);
      const id = `(SELECT id FROM topics WHERE name = '${prefixes.topicPrefix}${topic}')`;
      const where = `topic_id = ${id} AND partition = ${partition}`;
      database.exec(`DELETE FROM records WHERE ${where} AND "offset" < ${offset}`);
      database.exec(`UPDATE partitions SET start_offset = ${offset} WHERE ${where}`);
      database.close();
    },
    dispose: () => directory.remove(),
  };
});

describe('a log under prefixes', () => {
  it('has its topics and groups beside those without', async () => {
    const log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    const prefixed = withPrefixes(log, prefixes);
    await prefixed.ensureTopics([{ name: 'trips', partitions: 1, cleanup: 'delete', retentionMs: 1e6 }]);
    await prefixed.append('trips', [{ key: 'a', value: null, headers: {} }]);
    await expect(log.ends('trips')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await log.ends('eu.trips')).toEqual([{ partition: 0, start: 0, end: 1 }]);
    const consumption = await prefixed.consume({
      group: 'readers',
      topics: ['trips'],
      handler: async () => undefined,
    });
    await until(async () => (await log.lag('eu-readers', 'eu.trips'))[0]?.lag === 0, { what: 'no lag' });
    expect((await log.lag('readers', 'eu.trips'))[0]?.lag).toBe(1);
    await consumption.stop();
    await log.close();
  });

  it('is the log itself without any', () => {
    const log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    expect(withPrefixes(log, {})).toBe(log);
  });

  it('refuses a prefix that Kafka does not take', () => {
    const log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    expect(() => withPrefixes(log, { topicPrefix: 'eu/' })).toThrow('may have up to 100 letters');
  });
});
