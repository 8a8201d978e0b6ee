import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { record, texts } from '../conformance/subject.ts';
import type { EventLog } from '../event-log.ts';
import { createSqliteEventLog } from '../sqlite.ts';

const topic = { name: 'topic', partitions: 1, cleanup: 'delete', retentionMs: 3_600_000 } as const;

describe('the SQLite log after an outage of its file', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let log: EventLog;
  let other: DatabaseSync;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    const path = join(directory.path, 'events.db');
    log = createSqliteEventLog({ path, logger: silentLogger, heartbeatMs: 300, pollMs: 5 });
    await log.ensureTopics([topic]);
    other = new DatabaseSync(path);
  });

  afterEach(async () => {
    await log.close();
    other.close();
    await directory.remove();
  });

  /** Makes every read and write of records fail until the returned function is called. */
  async function cut(): Promise<() => void> {
    other.exec('ALTER TABLE records RENAME TO records_away');
    await expect(log.append('topic', [record('a', 'lost')])).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: expect.stringContaining('records') },
    });
    return () => other.exec('ALTER TABLE records_away RENAME TO records');
  }

  it('goes on to deliver to its tails, which report the trouble', async () => {
    const records: string[] = [];
    const troubles: Error[] = [];
    const ends: Error[] = [];
    await log.tail({
      topics: ['topic'],
      from: 'end',
      onRecords: (batch) => void records.push(...texts(batch)),
      onTrouble: (error) => void troubles.push(error),
      onEnd: (error) => void ends.push(error),
    });
    await log.append('topic', [record('a', 'before')]);
    await until(() => records.length === 1, { what: 'the first record' });
    const mend = await cut();
    // The commit of another process wakes the tail, which cannot read.
    other.exec('UPDATE partitions SET next_offset = next_offset + 1');
    await until(() => troubles.length > 1, { what: 'the trouble' });
    mend();
    other.exec('UPDATE partitions SET next_offset = next_offset - 1');
    await log.append('topic', [record('a', 'after')]);
    await until(() => records.length === 2, { what: 'the next record' });
    expect(records).toEqual(['before', 'after']);
    expect(ends).toEqual([]);
  });

  it('goes on to deliver to its groups', async () => {
    const handled: string[] = [];
    await log.consume({
      group: 'group',
      topics: ['topic'],
      handler: async ({ records }) => void handled.push(...texts(records)),
    });
    await log.append('topic', [record('a', 'before')]);
    await until(() => handled.length === 1, { what: 'the first record' });
    const mend = await cut();
    other.exec('UPDATE partitions SET next_offset = next_offset + 1');
    mend();
    other.exec('UPDATE partitions SET next_offset = next_offset - 1');
    await log.append('topic', [record('a', 'after')]);
    await until(() => handled.length === 2, { what: 'the next record' });
  });

  it('consumes a partition again whose lease was lost and came back', async () => {
    const handled: string[] = [];
    let handling = false;
    const gate = Promise.withResolvers<void>();
    await log.consume({
      group: 'group',
      topics: ['topic'],
      handler: async ({ records }) => {
        handling = true;
        await gate.promise;
        handled.push(...texts(records));
      },
    });
    await log.append('topic', [record('a', 'one')]);
    await until(() => handling, { what: 'the handler' });
    // Another process evicts this member while it handles, and dies at once: the lease is free again.
    other.exec("UPDATE leases SET member = 'somebody else'");
    gate.resolve();
    await until(() => handled.length > 0, { what: 'the handler is done' });
    await new Promise(setImmediate);
    other.exec('DELETE FROM leases');
    await log.append('topic', [record('a', 'two')]);
    await until(() => handled.includes('two'), { what: 'the partition is consumed again', timeoutMs: 5_000 });
  });
});
