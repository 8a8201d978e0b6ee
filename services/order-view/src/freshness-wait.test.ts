import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createFreshnessWait } from './freshness-wait.ts';

const floor = (key: string, version: number) => ({ kind: 'order', key, version });

/** What the database holds is `reached`; nothing tells the wait of it unless the test does. */
function waiting(
  reached: Record<string, number> = {},
  options: { recheckMs?: number; maxParked?: number } = {},
) {
  const stored = new Map(Object.entries(reached));
  const wait = createFreshnessWait({
    versions: () => Promise.resolve(new Map(stored)),
    recheckMs: 60_000,
    ...options,
  });
  return { wait, stored };
}

describe('a read that demands a version', () => {
  it('is answered at once when the view contains it', async () => {
    const { wait } = waiting({ o1: 3 });
    expect(await wait.covered([floor('o1', 3)], 60_000)).toBe(true);
  });

  it('waits until all that it demands is applied', async () => {
    const { wait } = waiting({ o1: 1 });
    let answered = false;
    const covered = wait.covered([floor('o1', 2), floor('o2', 1)], 60_000).finally(() => (answered = true));
    wait.applied('o2', 1);
    wait.applied('o1', 1);
    await Promise.resolve();
    expect(answered).toBe(false);
    wait.applied('o1', 2);
    expect(await covered).toBe(true);
    expect(wait.parked()).toBe(0);
  });

  it('does not miss what is applied while it looks', async () => {
    const looked = deferred<ReadonlyMap<string, number>>();
    const wait = createFreshnessWait({ versions: () => looked.promise, recheckMs: 60_000 });
    const covered = wait.covered([floor('o1', 1)], 60_000);
    wait.applied('o1', 1);
    looked.resolve(new Map());
    expect(await covered).toBe(true);
  });

  it('finds by itself what another process applied', async () => {
    const { wait, stored } = waiting({}, { recheckMs: 1 });
    const covered = wait.covered([floor('o1', 1)], 60_000);
    stored.set('o1', 1);
    expect(await covered).toBe(true);
  });

  it('is told when it waited in vain', async () => {
    const { wait } = waiting({ o1: 1 });
    expect(await wait.covered([floor('o1', 2)], 1)).toBe(false);
    expect(await wait.covered([floor('o1', 2)], 0)).toBe(false);
    expect(wait.parked()).toBe(0);
  });

  it('stops waiting when its caller has gone or the service stops', async () => {
    const { wait } = waiting();
    const caller = new AbortController();
    const abandoned = wait.covered([floor('o1', 1)], 60_000, caller.signal);
    const stopped = wait.covered([floor('o1', 1)], 60_000);
    caller.abort();
    expect(await abandoned).toBe(false);
    wait.stop();
    expect(await stopped).toBe(false);
    expect(wait.parked()).toBe(0);
  });

  it('is not parked when too many are', async () => {
    const { wait } = waiting({}, { maxParked: 1 });
    const parked = wait.covered([floor('o1', 1)], 60_000);
    expect(await wait.covered([floor('o1', 1)], 60_000)).toBe(false);
    wait.applied('o1', 1);
    expect(await parked).toBe(true);
  });

  it('is held to the highest version of a key that is named twice', async () => {
    const { wait } = waiting({ o1: 2 });
    expect(await wait.covered([floor('o1', 3), floor('o1', 2)], 0)).toBe(false);
  });

  it('rejects when the database does', async () => {
    const wait = createFreshnessWait({ versions: () => Promise.reject(new Error('away')) });
    await expect(wait.covered([floor('o1', 1)], 60_000)).rejects.toThrow('away');
    expect(wait.parked()).toBe(0);
  });
});
