import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until, type TemporaryDirectory } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { record } from '../conformance/subject.ts';
import type { EventLog } from '../event-log.ts';
import { createSqliteEventLog } from '../sqlite.ts';

const spec = { name: 'topic', partitions: 2, cleanup: 'delete', retentionMs: 3_600_000 } as const;

describe('the epoch of the embedded log', () => {
  let directory: TemporaryDirectory;
  let data: string;
  let backup: string;
  let path: string;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    data = join(directory.path, 'data');
    backup = join(directory.path, 'backup');
    path = join(data, 'events.db');
    const log = open();
    await log.ensureTopics([spec]);
    await log.append('topic', [record('a', '1')]);
    await log.close();
    await cp(data, backup, { recursive: true });
  });

  afterEach(() => directory.remove());

  const open = (): EventLog => createSqliteEventLog({ path, logger: silentLogger });

  /** Opens the log, runs `work` and closes it. Returns the epoch. */
  async function epoch(work?: (log: EventLog) => Promise<unknown>): Promise<string> {
    const log = open();
    try {
      await work?.(log);
      return await log.epoch('topic');
    } finally {
      await log.close();
    }
  }

  const append = (log: EventLog): Promise<unknown> => log.append('topic', [record('a', '2')]);

  async function restore(): Promise<void> {
    await rm(path);
    await cp(join(backup, 'events.db'), path);
  }

  it('stays the same while the end only moves forward', async () => {
    const first = await epoch(append);
    expect(await epoch(append)).toBe(first);
    expect(await epoch()).toBe(first);
  });

  it('changes when the file alone was restored and its end went back', async () => {
    const first = await epoch(append);
    await restore();
    const second = await epoch();
    expect(second).not.toBe(first);
    expect(await epoch(append)).toBe(second);
  });

  it('changes when the file is restored after a crash of the process that appended', async () => {
    const log = open();
    const mark = await readFile(`${path}-mark`, 'utf8');
    const first = await log.epoch('topic');
    await append(log);
    await until(async () => (await readFile(`${path}-mark`, 'utf8')) !== mark, { what: 'the mark' });
    const crashed = join(directory.path, 'crashed-mark');
    await cp(`${path}-mark`, crashed);
    await log.close();
    await restore();
    // A rename keeps the file: it is no copy.
    await rename(crashed, `${path}-mark`);
    expect(await epoch()).not.toBe(first);
  });

  it('changes when a restored log has grown past the old end only in another epoch', async () => {
    const first = await epoch(append);
    await restore();
    const second = await epoch(async (log) => {
      for (let index = 0; index < 5; index++) await append(log);
    });
    expect(second).not.toBe(first);
  });

  it('changes when the whole folder was restored', async () => {
    const first = await epoch(append);
    await rm(data, { recursive: true });
    await cp(backup, data, { recursive: true });
    // A copy that is made long after the mark was written; the change time of a file cannot be set.
    const mark = JSON.parse(await readFile(`${path}-mark`, 'utf8')) as { writtenAtMs: number };
    await writeFile(`${path}-mark`, JSON.stringify({ ...mark, writtenAtMs: mark.writtenAtMs - 60_000 }));
    expect(await epoch()).not.toBe(first);
  });

  it.each(['', 'null', '{}', 'not JSON'])('changes when the mark is %j', async (content) => {
    const first = await epoch();
    await writeFile(`${path}-mark`, content);
    expect(await epoch()).not.toBe(first);
  });

  it('changes when the mark is missing', async () => {
    const first = await epoch();
    await rm(`${path}-mark`);
    expect(await epoch()).not.toBe(first);
  });

  it('is the same for two processes that open the file at the same time', async () => {
    await restore();
    await rm(`${path}-mark`);
    const [one, two] = [open(), open()];
    expect(await one.epoch('topic')).toBe(await two.epoch('topic'));
    await append(one);
    await append(two);
    await one.close();
    await two.close();
    const third = open();
    expect(await third.epoch('topic')).toBe(await one.epoch('topic').catch(() => third.epoch('topic')));
    await third.close();
  });
});
