import { DatabaseSync } from 'node:sqlite';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { deferred, startChild, temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { describeEventLog } from './conformance.ts';
import { collect, record, texts } from './conformance/subject.ts';
import type { OutgoingRecord } from './event-log.ts';
import { createSqliteEventLog } from './sqlite.ts';

describeEventLog('SQLite', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'log', 'events.db');
  return {
    open: async () => createSqliteEventLog({ path, logger: silentLogger, heartbeatMs: 50 }),
    async deleteBefore(topic, partition, offset) {
      const database = new DatabaseSync(path);
      const id = `(SELECT id FROM topics WHERE name = '${topic}')`;
      const where = `topic_id = ${id} AND partition = ${partition}`;
      database.exec(`DELETE FROM records WHERE ${where} AND "offset" < ${offset}`);
      database.exec(`UPDATE partitions SET start_offset = ${offset} WHERE ${where}`);
      database.close();
    },
    dispose: () => directory.remove(),
  };
});

describe('the SQLite file', () => {
  const spec = { name: 'topic', partitions: 2, cleanup: 'delete', retentionMs: 3_600_000 } as const;

  it('is readable by its owner only, with the files beside it, also when it was not before', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'data', 'events.db');
    await mkdir(dirname(path));
    await writeFile(path, '', { mode: 0o644 });
    const log = createSqliteEventLog({ path, logger: silentLogger });
    await log.ensureTopics([spec]);
    const files = await readdir(dirname(path));
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect((await stat(join(dirname(path), file))).mode & 0o777, file).toBe(0o600);
    await log.close();
  });

  it('holds every acknowledged record after kill -9, and a tail in another process delivers them', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'events.db');
    const log = createSqliteEventLog({ path, logger: silentLogger });
    await log.ensureTopics([spec]);
    const tailed = await collect(log, 'topic', 'end');
    await using child = startChild('packages/event-log/src/sqlite/appending-process.fixture.ts', {
      LOG_PATH: path,
      TOPIC: 'topic',
    });
    await until(() => tailed.records.length > 2_000, { what: 'the other process appends' });
    await child.kill('SIGKILL');
    const acknowledged = Number(child.lines.at(-1)?.match(/^acknowledged (\d+)$/)?.[1]);
    expect(acknowledged).toBeGreaterThan(1_000);

    const held = (await log.ends('topic')).reduce((sum, { end }) => sum + end, 0);
    expect(held).toBeGreaterThan(acknowledged);
    await until(() => tailed.records.length === held, { what: 'the tail has all of them' });
    const values = texts(tailed.records).map(Number);
    expect([...values].sort((x, y) => x - y)).toEqual(Array.from({ length: held }, (_, i) => i));
    await log.close();
  });

  it('hands over the partitions of a killed member at once, before its session expires', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'events.db');
    const log = createSqliteEventLog({ path, logger: silentLogger, heartbeatMs: 20 });
    await log.ensureTopics([spec]);
    await log.append('topic', [record('key', 'x')]);
    await using child = startChild('packages/event-log/src/sqlite/consuming-process.fixture.ts', {
      LOG_PATH: path,
      TOPIC: 'topic',
    });
    await child.waitForLine('handling');
    const handled: string[] = [];
    await log.consume({
      group: 'group',
      topics: ['topic'],
      handler: async ({ records }) => void handled.push(...texts(records)),
    });
    await log.ping(1_000);
    expect(handled).toEqual([]);
    await child.kill('SIGKILL');
    await until(() => handled.length > 0, { what: 'the record comes again', timeoutMs: 5_000 });
    await log.close();
  });

  it('throws UNAVAILABLE when the path is not a log file', async () => {
    await using directory = await temporaryDirectory();
    // Neither the path nor SQLite's text is in the message, which callers may see; both are in the cause.
    expect(() => createSqliteEventLog({ path: directory.path, logger: silentLogger })).toThrowError(
      expect.objectContaining({ code: 'UNAVAILABLE', message: "The event log's file cannot be used." }),
    );
  });

  it('stays near its bound, keeps compacted topics and what a group has still to handle, and says when it cannot', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'events.db');
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (...parts: unknown[]) => void warnings.push(parts[1]) };
    const maxBytes = 400_000;
    const log = createSqliteEventLog({ path, logger, maxBytes, sweepIntervalMs: 10, heartbeatMs: 50 });
    const one = { partitions: 1, retentionMs: 3_600_000 };
    await log.ensureTopics([
      { ...one, name: 'events', cleanup: 'delete' },
      { ...one, name: 'others', cleanup: 'delete' },
      { ...one, name: 'documents', cleanup: 'compact' },
    ]);
    const startOf = async (topic: string): Promise<number> => (await log.ends(topic))[0]!.start;
    const large = (count: number): OutgoingRecord[] =>
      Array.from({ length: count }, (_, key) => record(`k${key}`, 'x'.repeat(1_000)));
    const handling = deferred();
    await log.consume({
      group: 'slow',
      topics: ['events'],
      handler: async () => handling.promise,
    });
    await log.append('documents', large(50));
    await log.append('events', large(600));
    await until(() => warnings.length > 0, { what: 'the warning' });
    expect(warnings).toEqual(['the event log exceeds its bound: all of it is still needed']);
    expect(await startOf('events')).toBe(0);

    // Nobody consumes this topic: it makes room for itself.
    await log.append('others', large(600));
    await until(async () => (await startOf('others')) === 600, { what: 'room from the other topic' });
    expect(await startOf('events')).toBe(0);

    handling.resolve();
    const used = (): number => {
      const database = new DatabaseSync(path, { readOnly: true });
      const pragma = (name: string): number =>
        Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0] as number;
      const bytes = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
      database.close();
      return bytes;
    };
    await until(() => used() <= maxBytes, { what: 'the bound' });
    expect(await startOf('events')).toBeGreaterThan(0);
    expect(await startOf('documents')).toBe(0);
    expect(
      (await log.read({ topic: 'documents', partition: 0, fromOffset: 0, toOffset: 50, maxRecords: 50 }))
        .length,
    ).toBe(50);
    await log.close();
  });

  it('drops records older than the retention, and compacts older records to the newest of each key', async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'events.db');
    const log = createSqliteEventLog({ path, logger: silentLogger, sweepIntervalMs: 10 });
    const one = { partitions: 1, retentionMs: 60_000 };
    await log.ensureTopics([
      { ...one, name: 'deleted', cleanup: 'delete' },
      { ...one, name: 'compacted', cleanup: 'compact' },
    ]);
    const old = { timestampMs: Date.now() - 120_000 };
    const records = [
      record('a', 'a1', old),
      record('b', 'b1', old),
      record('a', 'a2', old),
      record('c', 'c1', old),
      record('c', '', { ...old, value: null }),
      record('b', 'b2'),
      record('b', 'b3'),
    ];
    await log.append('deleted', records);
    await log.append('compacted', records);
    const read = async (topic: string, fromOffset: number): Promise<string[]> =>
      texts(await log.read({ topic, partition: 0, fromOffset, toOffset: 9, maxRecords: 9 }));
    await until(async () => (await read('compacted', 0)).join() === 'a2,b2,b3', {
      what: 'the topic is compacted',
    });
    await until(async () => (await log.ends('deleted'))[0]?.start === 5, {
      what: 'the old records are dropped',
    });
    expect(await read('deleted', 5)).toEqual(['b2', 'b3']);
    expect(await log.ends('compacted')).toEqual([{ partition: 0, start: 0, end: 7 }]);
    const { records: tailed } = await collect(log, 'compacted', 'start');
    await until(() => tailed.length === 3, { what: 'the tail passes the gaps' });
    await log.close();
  });
});
