import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Change } from './change.ts';
import { changeBytes, History } from './history.ts';

const MINUTE_MS = 60_000;

function change(seq: number, partition = 0, valueBytes = 100): Change {
  return { seq, partition, offset: seq, valueBytes, terms: ['all'] } as unknown as Change;
}

describe('the history of a stream', () => {
  let nowMs = 0;
  const create = (maxBytes = Infinity): History =>
    new History({ maxBytes, maxAgeMs: 10 * MINUTE_MS, now: () => nowMs });
  const held = (history: History): number[] =>
    history
      .matching(
        'all',
        new Map([
          [0, 0],
          [1, 0],
        ]),
        Infinity,
      )
      .map(({ seq }) => seq);

  it('evicts the oldest changes of all partitions above its budget', () => {
    const history = create(3 * changeBytes(change(0)));
    for (let seq = 1; seq <= 5; seq++) history.push(change(seq, seq % 2));
    expect(held(history)).toEqual([3, 4, 5]);
    expect([history.start(0), history.start(1)]).toEqual([3, 2]);
    expect(history.bytes).toBe(3 * changeBytes(change(0)));
  });

  it('evicts changes after their maximum age, and a tenth of it at most', () => {
    const history = create();
    for (let minute = 0; minute <= 30; minute++) {
      nowMs = minute * MINUTE_MS;
      history.push(change(minute + 1));
    }
    const ages = held(history).map((seq) => 30 - (seq - 1));
    expect(Math.max(...ages)).toBeGreaterThanOrEqual(9);
    expect(Math.max(...ages)).toBeLessThanOrEqual(11);
    expect(history.start(0)).toBe(held(history)[0]);
    expect(history.size).toBe(held(history).length);
  });

  it('keeps the same number of changes at a constant rate, however long it runs', () => {
    const history = create();
    const sizes: number[] = [];
    for (let second = 0; second < 3_600; second++) {
      nowMs = second * 1_000;
      history.push(change(second));
      if (second % 600 === 599 && second > 600) sizes.push(history.size);
    }
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(60);
  });

  it('releases the memory of an evicted change', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const history = create(3 * changeBytes(change(0)));
    const evicted = Array.from({ length: 10 }, (_, seq) => {
      const pushed = change(seq);
      history.push(pushed);
      return new WeakRef(pushed);
    }).slice(0, 7);
    // A WeakRef keeps its target until the end of the turn.
    await nextTurn();
    collectGarbage();
    expect(evicted.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  it('evicts everything that was pushed before a pause longer than the age', () => {
    const history = create();
    for (let seq = 1; seq <= 100; seq++) history.push(change(seq));
    nowMs += 11 * MINUTE_MS;
    history.push(change(101));
    nowMs += 11 * MINUTE_MS;
    history.push(change(102));
    expect(held(history)).not.toContain(1);
  });
});
