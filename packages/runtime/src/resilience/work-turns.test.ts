import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { WorkTurns } from './work-turns.ts';

describe('work turns', () => {
  /** Runs holders of 20 units, each of one millisecond. Returns the units done in each turn of the event loop. */
  async function unitsByTurn(
    holders: number,
    sliceMs: number,
  ): Promise<{ turns: number[]; order: number[] }> {
    let nowMs = 0;
    const turns = new WorkTurns({ sliceMs, now: () => nowMs });
    const units = [0];
    const order: number[] = [];
    let isDone = false;
    const watching = (async () => {
      for (; !isDone; units.push(0)) await nextTurn();
    })();
    await Promise.all(
      Array.from({ length: holders }, async (_, holder) => {
        for (let unit = 0; unit < 20; unit++) {
          await turns.next();
          nowMs += 1;
          units[units.length - 1]! += 1;
          if (order.at(-1) !== holder) order.push(holder);
        }
      }),
    );
    isDone = true;
    await watching;
    return { turns: units, order };
  }

  it('lets the event loop turn after each slice', async () => {
    const { turns } = await unitsByTurn(1, 5);
    expect(Math.max(...turns)).toBe(5);
  });

  it('bounds the work of all holders together between two turns of the event loop', async () => {
    const { turns } = await unitsByTurn(10, 5);
    expect(Math.max(...turns)).toBeLessThanOrEqual(5);
  });

  it('gives each waiting holder its turn', async () => {
    const { order } = await unitsByTurn(3, 5);
    expect(order.slice(0, 6)).toEqual([0, 1, 2, 0, 1, 2]);
  });

  it('does not wait while the slice lasts', async () => {
    let nowMs = 0;
    const turns = new WorkTurns({ sliceMs: 5, now: () => nowMs });
    await turns.next();
    nowMs = 4;
    expect(turns.next()).toBeUndefined();
    nowMs = 5;
    expect(turns.next()).toBeInstanceOf(Promise);
  });
});
