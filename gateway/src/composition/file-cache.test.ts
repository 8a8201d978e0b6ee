import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FileCache } from './file-cache.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, bytes: number) => writeFileSync(join(folder, name), 'x'.repeat(bytes));

it('evicts the least recently used file above its memory limit', async () => {
  const cache = new FileCache(10_000);
  for (const name of ['a', 'b']) {
    write(name, 1_500);
    await cache.get(folder, name);
  }
  await cache.get(folder, 'a');
  write('c', 1_500);
  await cache.get(folder, 'c');
  for (const name of ['a', 'b', 'c']) rmSync(join(folder, name));
  const left = await Promise.all(['a', 'b', 'c'].map((name) => cache.get(folder, name)));
  expect(left.map((file) => file !== undefined)).toEqual([true, false, true]);
});

it('serves a file that exceeds its memory limit, and does not cache it', async () => {
  const cache = new FileCache(1_000);
  write('big', 5_000);
  expect((await (await cache.get(folder, 'big'))?.body('identity'))?.length).toBe(5_000);
  rmSync(join(folder, 'big'));
  expect(await cache.get(folder, 'big')).toBeUndefined();
});

it('reads a file again when it has changed', async () => {
  const cache = new FileCache(10_000);
  write('a', 10);
  const before = await cache.get(folder, 'a');
  write('a', 11);
  expect((await cache.get(folder, 'a'))?.etag).not.toBe(before?.etag);
});
