import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { startDueLoop, type DueLoop, type DueLoopOptions } from './due-loop.ts';

function startLoop(
  pass: (count: number) => Promise<number | undefined>,
  options: Partial<DueLoopOptions> = {},
): DueLoop {
  let count = 0;
  return startDueLoop({ pass: () => pass(++count), clock: Date.now, onFailure: () => undefined, ...options });
}

describe('the due loop', () => {
  it('runs a pass at the start, and at the due time that the last pass returned', async () => {
    const second = deferred();
    const loop = startLoop(async (count) => {
      if (count === 2) second.resolve();
      return count === 1 ? Date.now() + 10 : undefined;
    });
    await second.promise;
    await loop.stop();
  });

  it('runs another pass when woken during a pass, and never two at once', async () => {
    const inside = deferred();
    const leave = deferred();
    const again = deferred();
    let running = 0;
    const loop = startLoop(async (count) => {
      expect(++running).toBe(1);
      if (count === 1) {
        inside.resolve();
        await leave.promise;
      } else again.resolve();
      running--;
      return undefined;
    });
    await inside.promise;
    loop.wake();
    leave.resolve();
    await again.promise;
    await loop.stop();
  });

  it('runs a pass after pollMs without a wake-up when the due time is later', async () => {
    const third = deferred();
    const farAway = (): number => Date.now() + 3_600_000;
    const pass = async (count: number): Promise<number | undefined> => {
      if (count === 3) third.resolve();
      return count === 1 ? undefined : farAway();
    };
    const loop = startLoop(pass, { pollMs: 10 });
    await third.promise;
    await loop.stop();
  });

  it('reports a failed pass and continues', async () => {
    const second = deferred();
    const away = new Error('the database is away');
    const failures: unknown[] = [];
    const pass = async (count: number): Promise<number | undefined> => {
      if (count === 1) throw away;
      second.resolve();
      return undefined;
    };
    const loop = startLoop(pass, { onFailure: (error) => failures.push(error) });
    await second.promise;
    expect(failures).toEqual([away]);
    await loop.stop();
  });

  it('stops after the pass in progress has ended, and ignores later wake-ups', async () => {
    const inside = deferred();
    const leave = deferred();
    let passes = 0;
    const loop = startLoop(async (count) => {
      passes = count;
      inside.resolve();
      await leave.promise;
      return Date.now();
    });
    await inside.promise;
    const stopped = loop.stop();
    leave.resolve();
    await stopped;
    loop.wake();
    expect(passes).toBe(1);
  });
});
