import { describe, expect, it } from 'vitest';
import { describeSharedState } from './conformance.ts';
import { createMemorySharedState } from './memory.ts';

describeSharedState('in memory', () => createMemorySharedState({ maxEntries: 1_000 }));

describe('shared state in memory', () => {
  function withClock(maxEntries: number) {
    const evicted: string[] = [];
    const clock = { nowMs: 1_000 };
    const state = createMemorySharedState({
      maxEntries,
      clock: () => clock.nowMs,
      onEvict: (key) => evicted.push(key),
    });
    return { state, clock, evicted };
  }

  it('evicts the least recently used entry and reports it', async () => {
    const { state, evicted } = withClock(2);
    await state.set('a', '1', 100);
    await state.set('b', '2', 100);
    await state.get('a');
    await state.set('c', '3', 100);
    expect(evicted).toEqual(['b']);
    expect(await Promise.all(['a', 'b', 'c'].map((key) => state.get(key)))).toEqual(['1', undefined, '3']);
  });

  it('deletes expired entries before it evicts others', async () => {
    const { state, clock, evicted } = withClock(2);
    await state.set('old', '1', 10_000);
    await state.set('short', '2', 10);
    clock.nowMs += 10;
    await state.set('new', '3', 10_000);
    expect(evicted).toEqual([]);
    expect(await state.get('old')).toBe('1');
  });

  it('evicts nothing when it replaces the value of a key', async () => {
    const { state, evicted } = withClock(1);
    await state.set('a', '1', 100);
    await state.set('a', '2', 100);
    await state.increment('a', 100);
    expect(evicted).toEqual([]);
  });

  it('ends a lifetime at its exact millisecond', async () => {
    const { state, clock } = withClock(2);
    await state.set('a', '1', 10);
    clock.nowMs += 9;
    expect(await state.get('a')).toBe('1');
    clock.nowMs += 1;
    expect(await state.get('a')).toBeUndefined();
  });
});
