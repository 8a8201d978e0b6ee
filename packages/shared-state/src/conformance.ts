import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeTokenBuckets } from './conformance/token-buckets.ts';
import type { SharedState } from './shared-state.ts';

const LONG_MS = 60_000;
const SHORT_MS = 30;

/**
 * Declares the tests of the `SharedState` contract. Every adapter has to pass them.
 *
 * @param create returns a new state, which shares no keys with another test.
 *
 * @example
 * describeSharedState('in memory', () => createMemorySharedState({ maxEntries: 1_000 }));
 */
export function describeSharedState(name: string, create: () => Promise<SharedState> | SharedState): void {
  describe(`shared state: ${name}`, () => {
    let state: SharedState;
    let keys = 0;
    const newKey = (): string => `key-${++keys}:with spaces, ünïcode and : colons`;

    beforeAll(async () => {
      state = await create();
      await state.ping(5_000);
    });
    afterAll(() => state.close());

    it('resolves to undefined for a key that was never set', async () => {
      expect(await state.get(newKey())).toBeUndefined();
    });

    it('returns the value that was set, also an empty or a long string', async () => {
      for (const value of ['', 'a', 'ünïcode 🌊', 'x'.repeat(100_000)]) {
        const key = newKey();
        await state.set(key, value, LONG_MS);
        expect(await state.get(key)).toBe(value);
      }
    });

    it('replaces the value and its lifetime', async () => {
      const key = newKey();
      await state.set(key, 'old', SHORT_MS);
      await state.set(key, 'new', LONG_MS);
      const other = newKey();
      await state.set(other, 'clock', SHORT_MS * 3);
      await until(async () => (await state.get(other)) === undefined, { what: 'a longer lifetime ends' });
      expect(await state.get(key)).toBe('new');
    });

    it('deletes a value when its lifetime ends', async () => {
      const key = newKey();
      await state.set(key, 'short', SHORT_MS);
      await until(async () => (await state.get(key)) === undefined, { what: 'the value is gone' });
      expect(await state.setIfAbsent(key, 'again', LONG_MS)).toBe(true);
    });

    it('counts from one', async () => {
      const key = newKey();
      expect(await state.increment(key, LONG_MS)).toBe(1);
      expect(await state.increment(key, LONG_MS)).toBe(2);
      expect(await state.get(key)).toBe('2');
    });

    it('counts each of 100 concurrent increments once', async () => {
      const key = newKey();
      const counts = await Promise.all(Array.from({ length: 100 }, () => state.increment(key, LONG_MS)));
      expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    });

    it('does not prolong a counter: the first increment fixes its window', async () => {
      const key = newKey();
      await state.increment(key, SHORT_MS);
      // Further increments must not keep the counter alive.
      await until(async () => (await state.increment(key, SHORT_MS)) === 1, { what: 'a new window begins' });
    });

    it('increments a number that was set, and rejects with CONFLICT for any other value', async () => {
      const key = newKey();
      await state.set(key, '41', LONG_MS);
      expect(await state.increment(key, LONG_MS)).toBe(42);
      await state.set(key, 'many', LONG_MS);
      await expect(state.increment(key, LONG_MS)).rejects.toMatchObject({ code: 'CONFLICT' });
      expect(await state.get(key)).toBe('many');
    });

    it('lets exactly one of 20 concurrent callers set an absent key', async () => {
      const key = newKey();
      const attempts = Array.from({ length: 20 }, (_, at) => state.setIfAbsent(key, `try ${at}`, LONG_MS));
      const won = (await Promise.all(attempts)).flatMap((first, at) => (first ? [at] : []));
      expect(won).toHaveLength(1);
      expect(await state.get(key)).toBe(`try ${won[0]}`);
    });

    it('compares and sets: false, without a change, for another value than the expected one', async () => {
      const key = newKey();
      expect(await state.compareAndSet(key, 'a', 'b', LONG_MS)).toBe(false);
      expect(await state.get(key)).toBeUndefined();
      expect(await state.compareAndSet(key, undefined, 'a', LONG_MS)).toBe(true);
      expect(await state.compareAndSet(key, undefined, 'b', LONG_MS)).toBe(false);
      expect(await state.compareAndSet(key, '', 'b', LONG_MS)).toBe(false);
      expect(await state.compareAndSet(key, 'a', '', LONG_MS)).toBe(true);
      expect(await state.compareAndSet(key, undefined, 'b', LONG_MS)).toBe(false);
      expect(await state.compareAndSet(key, '', 'b', SHORT_MS)).toBe(true);
      await until(async () => (await state.get(key)) === undefined, { what: 'the lifetime ends' });
    });

    it('lets exactly one of 20 concurrent callers replace the value that all of them have read', async () => {
      const key = newKey();
      await state.set(key, 'read', LONG_MS);
      const attempts = Array.from({ length: 20 }, (_, at) =>
        state.compareAndSet(key, 'read', `${at}`, LONG_MS),
      );
      const won = (await Promise.all(attempts)).flatMap((first, at) => (first ? [at] : []));
      expect(won).toHaveLength(1);
      expect(await state.get(key)).toBe(`${won[0]}`);
    });

    it('deletes a key, and resolves for one that does not exist', async () => {
      const key = newKey();
      await state.set(key, 'value', LONG_MS);
      await state.delete(key);
      await state.delete(key);
      expect(await state.get(key)).toBeUndefined();
    });

    it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
      'rejects with BAD_REQUEST for a lifetime of %d',
      async (ttlMs) => {
        const key = newKey();
        await expect(state.set(key, 'value', ttlMs)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
        await expect(state.increment(key, ttlMs)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
        await expect(state.setIfAbsent(key, 'value', ttlMs)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
        await expect(state.compareAndSet(key, undefined, 'value', ttlMs)).rejects.toMatchObject({
          code: 'BAD_REQUEST',
        });
        expect(await state.get(key)).toBeUndefined();
      },
    );

    describeTokenBuckets(() => ({ state, newKey }));

    it('rejects with UNAVAILABLE after close, which is idempotent', async () => {
      const closed = await create();
      await closed.ping(5_000);
      await closed.close();
      await closed.close();
      await expect(closed.get('key')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(closed.set('key', 'value', LONG_MS)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(closed.compareAndSet('key', 'a', 'b', LONG_MS)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      await expect(closed.takeTokens([{ key: 'a', capacity: 1, refillMs: 1 }], 1)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      await expect(closed.increment('key', LONG_MS)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(closed.ping(1_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    });
  });
}
