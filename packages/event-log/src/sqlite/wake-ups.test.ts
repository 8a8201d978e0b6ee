import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryDirectory } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hangBell } from './bell.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic } from './topic-store.ts';
import { createWakeUps, type WakeUps } from './wake-ups.ts';

const POLL_MS = 10;
const topic = { id: 1, name: 'topic', partitions: 1 } as StoredTopic;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let ours: DatabaseSync;
let others: DatabaseSync;
let wakeUps: WakeUps;

beforeEach(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'log.sqlite');
  ours = new DatabaseSync(path);
  ours.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE partitions (topic_id INTEGER, partition INTEGER, next_offset INTEGER);
    INSERT INTO partitions VALUES (1, 0, 5)`);
  others = new DatabaseSync(path);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(async () => {
  vi.useRealTimers();
  wakeUps.close();
  ours.close();
  others.close();
  await directory.remove();
});

function start(path: string): Promise<void> {
  const file = {
    path,
    prepare: (sql: string) => ours.prepare(sql),
    read: (work: () => unknown) => work(),
  } as unknown as SqlFile;
  wakeUps = createWakeUps(file, POLL_MS);
  return wakeUps.wait(topic, 0, 5, new AbortController().signal);
}

const appendElsewhere = (): void => others.exec('UPDATE partitions SET next_offset = 6');

describe('an append of another process wakes a reader', () => {
  it('when it rings, without a timer', async () => {
    const woken = start(ours.location()!);
    const other = hangBell(`${ours.location()}-bell`);
    appendElsewhere();
    other.ring();
    await woken;
    other.close();
  });

  it('when it has not rung, for it was killed before it could: at a look that is made all the same', async () => {
    const woken = start(ours.location()!);
    appendElsewhere();
    await vi.advanceTimersByTimeAsync(250);
    await woken;
  });

  it('at the next look, where there can be no bell', async () => {
    const onWoken = vi.fn<() => void>();
    const woken = start(join(directory.path, 'no such folder', 'log')).then(onWoken);
    appendElsewhere();
    await vi.advanceTimersByTimeAsync(POLL_MS - 1);
    expect(onWoken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await woken;
  });

  it('at a later look, when besides nobody else had written for seconds', async () => {
    const woken = start(join(directory.path, 'no such folder', 'log'));
    await vi.advanceTimersByTimeAsync(300 * POLL_MS);
    appendElsewhere();
    await vi.advanceTimersByTimeAsync(5 * POLL_MS);
    await woken;
  });
});

it('a file that cannot be read any more wakes every reader, who then says so', async () => {
  const woken = start(ours.location()!);
  ours.exec('ALTER TABLE partitions RENAME TO gone');
  await vi.advanceTimersByTimeAsync(250);
  others.exec('UPDATE gone SET next_offset = 6');
  await vi.advanceTimersByTimeAsync(250);
  await woken;
});
