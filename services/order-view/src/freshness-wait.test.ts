import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { FreshnessWait } from './freshness-wait.ts';
import type { OrderVersion } from './queries.ts';

const all = { kind: 'all' } as const;
const version = (number: number, customerId = 'ada') => ({ version: number, customerId });
const floor = (key: string, version: number) => ({ kind: 'order', key, version });

/** A wait over a database with the versions `stored`. The test itself calls `applied`. */
function createWait(
  stored: Record<string, number> = {},
  options: { recheckMs?: number; maxParked?: number } = {},
) {
  const versions = new Map(Object.entries(stored).map(([key, number]) => [key, version(number)]));
  const wait = new FreshnessWait({
    versions: () => Promise.resolve(new Map(versions)),
    recheckMs: 60_000,
    ...options,
  });
  return { wait, versions };
}

describe('a read that demands a version', () => {
  it('is answered at once when the view contains it', async () => {
    const { wait } = createWait({ o1: 3 });
    expect(await wait.covered([floor('o1', 3)], all, 60_000)).toBe(true);
  });

  it('waits until every demanded version is applied', async () => {
    const { wait } = createWait({ o1: 1 });
    let answered = false;
    const covered = wait
      .covered([floor('o1', 2), floor('o2', 1)], all, 60_000)
      .finally(() => (answered = true));
    wait.applied('o2', version(1));
    wait.applied('o1', version(1));
    await Promise.resolve();
    expect(answered).toBe(false);
    wait.applied('o1', version(2));
    expect(await covered).toBe(true);
    expect(wait.parked).toBe(0);
  });

  it('does not miss a version applied during the check of the database', async () => {
    const checked = deferred<ReadonlyMap<string, OrderVersion>>();
    const wait = new FreshnessWait({ versions: () => checked.promise, recheckMs: 60_000 });
    const covered = wait.covered([floor('o1', 1)], all, 60_000);
    wait.applied('o1', version(1));
    checked.resolve(new Map());
    expect(await covered).toBe(true);
  });

  it('finds a version that another process applied', async () => {
    const { wait, versions } = createWait({}, { recheckMs: 1 });
    const covered = wait.covered([floor('o1', 1)], all, 60_000);
    versions.set('o1', version(1));
    expect(await covered).toBe(true);
  });

  it('resolves with false when the wait times out', async () => {
    const { wait } = createWait({ o1: 1 });
    expect(await wait.covered([floor('o1', 2)], all, 1)).toBe(false);
    expect(await wait.covered([floor('o1', 2)], all, 0)).toBe(false);
    expect(wait.parked).toBe(0);
  });

  it('stops waiting when its caller aborts or the service stops', async () => {
    const { wait } = createWait();
    const caller = new AbortController();
    const abandoned = wait.covered([floor('o1', 1)], all, 60_000, caller.signal);
    const stopped = wait.covered([floor('o1', 1)], all, 60_000);
    caller.abort();
    expect(await abandoned).toBe(false);
    wait.stop();
    expect(await stopped).toBe(false);
    expect(wait.parked).toBe(0);
  });

  it('is not parked when too many reads are', async () => {
    const { wait } = createWait({}, { maxParked: 1 });
    const parked = wait.covered([floor('o1', 1)], all, 60_000);
    expect(await wait.covered([floor('o1', 1)], all, 60_000)).toBe(false);
    wait.applied('o1', version(1));
    expect(await parked).toBe(true);
  });

  it('demands the highest version of a key that is named twice', async () => {
    const { wait } = createWait({ o1: 2 });
    expect(await wait.covered([floor('o1', 3), floor('o1', 2)], all, 0)).toBe(false);
  });

  it('waits for an order outside of its access like for one that does not exist', async () => {
    const { wait } = createWait({ o1: 1 });
    const ofBob = { kind: 'customers' as const, customerIds: ['bob'] };
    const foreign = wait.covered([floor('o1', 1)], ofBob, 60_000);
    const missing = wait.covered([floor('o2', 1)], ofBob, 60_000);
    wait.applied('o1', version(2));
    await Promise.resolve();
    expect(wait.parked).toBe(2);
    wait.stop();
    expect(await Promise.all([foreign, missing])).toEqual([false, false]);
  });

  it('rejects when the database rejects', async () => {
    const wait = new FreshnessWait({ versions: () => Promise.reject(new Error('away')) });
    await expect(wait.covered([floor('o1', 1)], all, 60_000)).rejects.toThrow('away');
    expect(wait.parked).toBe(0);
  });
});
