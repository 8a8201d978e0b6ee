import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryDirectory } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppendNotifier } from './append-notifier.ts';
import type { SqlFile } from './sql-file.ts';
import type { StoredTopic } from './topic-store.ts';
import { WakeUps } from './wake-ups.ts';

const POLL_MS = 10;
const topic = { id: 1, name: 'topic', partitions: 1 } as StoredTopic;

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let connection: DatabaseSync;
let otherConnection: DatabaseSync;
let wakeUps: WakeUps;

beforeEach(async () => {
  directory = await temporaryDirectory();
  const path = join(directory.path, 'log.sqlite');
  connection = new DatabaseSync(path);
  connection.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE partitions (topic_id INTEGER, partition INTEGER, next_offset INTEGER);
    INSERT INTO partitions VALUES (1, 0, 5)`);
  otherConnection = new DatabaseSync(path);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(async () => {
  vi.useRealTimers();
  wakeUps.close();
  connection.close();
  otherConnection.close();
  await directory.remove();
});

/** Path without a folder, where there can be no notifier. */
const nowhere = (): string => join(directory.path, 'no such folder', 'log');

/** Resolves when a reader that waits for the next offset is woken. */
function waitForAppend({ path = nowhere(), pollMs = POLL_MS } = {}): Promise<void> {
  const file = {
    prepare: (sql: string) => connection.prepare(sql),
    read: (work: () => unknown) => work(),
  } as unknown as SqlFile;
  wakeUps = new WakeUps({ file, path, pollMs });
  return wakeUps.wait(topic, 0, 5, new AbortController().signal);
}

const appendElsewhere = (): void => otherConnection.exec('UPDATE partitions SET next_offset = 6');

describe('wake-ups', () => {
  it('wake a reader at once when this process appends', async () => {
    const woken = waitForAppend();
    wakeUps.appended([{ topic: 'topic', partition: 0, offset: 5 }]);
    await woken;
  });

  it('wake a reader when another process appends and notifies, without a timer', async () => {
    const path = connection.location()!;
    const woken = waitForAppend({ path });
    const other = new AppendNotifier(`${path}-appends`);
    appendElsewhere();
    other.notify();
    await woken;
    other.close();
  });

  it('wake a reader within 250 ms when another process was killed between its commit and its notification', async () => {
    const woken = waitForAppend({ path: connection.location()! });
    appendElsewhere();
    await vi.advanceTimersByTimeAsync(250);
    await woken;
  });

  it('wake a reader at the next poll when another process appends and there is no notifier', async () => {
    const onWoken = vi.fn<() => void>();
    const woken = waitForAppend().then(onWoken);
    appendElsewhere();
    await vi.advanceTimersByTimeAsync(POLL_MS - 1);
    expect(onWoken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await woken;
  });

  it('poll at five times the interval when no other process has written for 200 polls', async () => {
    const onWoken = vi.fn<() => void>();
    const woken = waitForAppend().then(onWoken);
    await vi.advanceTimersByTimeAsync(200 * POLL_MS);
    appendElsewhere();
    await vi.advanceTimersByTimeAsync(5 * POLL_MS - 1);
    expect(onWoken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await woken;
  });

  it('set no timer when pollMs is 0', () => {
    void waitForAppend({ path: connection.location()!, pollMs: 0 });
    expect(vi.getTimerCount()).toBe(0);
    expect(existsSync(`${connection.location()!}-appends`)).toBe(false);
  });

  it('wake every reader when the file can no longer be read, so that each reports the fault', async () => {
    const woken = waitForAppend();
    connection.exec('ALTER TABLE partitions RENAME TO gone');
    await vi.advanceTimersByTimeAsync(POLL_MS);
    otherConnection.exec('UPDATE gone SET next_offset = 6');
    await vi.advanceTimersByTimeAsync(POLL_MS);
    await woken;
  });
});
