import { silentLogger } from '@tidegate/telemetry';
import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { startDueLoop } from './due-loop.ts';

function startLoop(pass: (count: number) => Promise<number | undefined>) {
  let count = 0;
  return startDueLoop({ pass: () => pass(++count), clock: Date.now, logger: silentLogger });
}

describe('the due loop', () => {
  it('passes at the start, and when the time has come that the last pass named', async () => {
    const second = deferred();
    const loop = startLoop(async (count) => {
      if (count === 2) second.resolve();
      return count === 1 ? Date.now() + 10 : undefined;
    });
    await second.promise;
    await loop.stop();
  });

  it('passes again when it was woken during a pass, and never twice at a time', async () => {
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

  it('goes on after a pass that failed', async () => {
    const second = deferred();
    const loop = startLoop(async (count) => {
      if (count === 1) throw new Error('the database is away');
      second.resolve();
      return undefined;
    });
    await second.promise;
    await loop.stop();
  });

  it('is over when it has stopped, and lets the pass under way end', async () => {
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
