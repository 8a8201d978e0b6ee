import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs, delay } from './backoff.ts';

const options = { firstMs: 100, maxMs: 5_000 };

describe('backoffMs', () => {
  it('doubles its ceiling with each attempt, up to the maximum', () => {
    const ceilings = [1, 2, 3, 6, 7, 1_000].map((attempt) => backoffMs(attempt, options, () => 1));
    expect(ceilings).toEqual([100, 200, 400, 3_200, 5_000, 5_000]);
  });

  it('returns an integer between 0 and the maximum for every attempt', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e9 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const ms = backoffMs(attempt, options, () => random);
          return Number.isInteger(ms) && ms >= 0 && ms <= options.maxMs;
        },
      ),
    );
  });
});

describe('delay', () => {
  it('resolves after the given time', async () => {
    const before = performance.now();
    await delay(20);
    expect(performance.now() - before).toBeGreaterThanOrEqual(18);
  });

  it('rejects at once with the reason of its signal', async () => {
    const controller = new AbortController();
    const waiting = delay(60_000, controller.signal);
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    await expect(delay(60_000, controller.signal)).rejects.toThrow('stop');
  });

  it('removes its listener from the signal', async () => {
    const { signal } = new AbortController();
    await delay(1, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
