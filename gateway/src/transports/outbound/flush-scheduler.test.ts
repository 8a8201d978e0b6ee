import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { FlushScheduler } from './flush-scheduler.ts';

describe('the flush scheduler', () => {
  let idle: number;
  let active: number;
  let scheduler: FlushScheduler;

  beforeEach(() => {
    idle = 1_000;
    active = 1_000;
    scheduler = new FlushScheduler(() => ({ idle, active }));
  });

  /** Simulates a change after a pause and the time to write it. Resolves with true when it was written at once. */
  async function change({ afterMs, tookMs }: { afterMs: number; tookMs: number }): Promise<boolean> {
    idle += afterMs;
    const atOnce = scheduler.hasTime();
    const flushed = new Promise<void>((resolve) => {
      const flush = (): void => {
        active += tookMs;
        resolve();
      };
      if (atOnce) flush();
      else scheduler.add({ flush });
    });
    await flushed;
    await nextTurn();
    return atOnce;
  }

  async function changes(count: number, each: { afterMs: number; tookMs: number }): Promise<boolean[]> {
    const atOnce: boolean[] = [];
    while (atOnce.length < count) atOnce.push(await change(each));
    return atOnce;
  }

  it('writes at once while the process is busy half of the time', async () => {
    expect(await changes(100, { afterMs: 12, tookMs: 12 })).not.toContain(false);
  });

  it('writes at once when two changes come close together by chance', async () => {
    await changes(20, { afterMs: 12, tookMs: 12 });
    expect(await changes(2, { afterMs: 0, tookMs: 12 })).toEqual([true, true]);
  });

  it('delays writes by some milliseconds when the process is busy nearly all of the time', async () => {
    expect((await changes(100, { afterMs: 1, tookMs: 12 })).slice(60)).not.toContain(true);
  });

  it('writes at once again after a pause', async () => {
    await changes(100, { afterMs: 1, tookMs: 12 });
    expect(await change({ afterMs: 50, tookMs: 12 })).toBe(true);
  });

  it('answers alike for all messages of one event', async () => {
    expect([scheduler.hasTime(), scheduler.hasTime()]).toEqual([true, true]);
    await nextTurn();
  });
});
