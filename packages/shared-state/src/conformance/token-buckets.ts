import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import type { SharedState, TokenBucket } from '../shared-state.ts';

const HOUR_MS = 3_600_000;

/** Declares the tests of `takeTokens`. Part of `describeSharedState`. */
export function describeTokenBuckets(
  current: () => { readonly state: SharedState; readonly newKey: () => string },
): void {
  describe('token buckets', () => {
    /** A bucket that hardly refills during a test. */
    const slow = (capacity: number): TokenBucket => ({
      key: current().newKey(),
      capacity,
      refillMs: HOUR_MS * capacity,
    });
    const take = (buckets: readonly TokenBucket[], cost = 1) => current().state.takeTokens(buckets, cost);

    it('grant a burst of their capacity, then nothing', async () => {
      const bucket = slow(3);
      for (const tokens of [2, 1, 0]) {
        expect(await take([bucket])).toMatchObject({ granted: true, retryAfterMs: 0, levels: [{ tokens }] });
      }
      const refused = await take([bucket]);
      expect(refused).toMatchObject({ granted: false, levels: [{ tokens: 0 }] });
      expect(refused.retryAfterMs).toBeGreaterThan(HOUR_MS - 30_000);
      expect(refused.retryAfterMs).toBeLessThanOrEqual(HOUR_MS);
      expect(refused.levels[0]!.fullInMs).toBeGreaterThan(3 * HOUR_MS - 30_000);
    });

    it('charge the cost: fewer expensive requests than cheap ones', async () => {
      const bucket = slow(10);
      expect(await take([bucket], 7)).toMatchObject({ granted: true, levels: [{ tokens: 3 }] });
      const refused = await take([bucket], 4);
      expect(refused).toMatchObject({ granted: false, levels: [{ tokens: 3 }] });
      expect(refused.retryAfterMs).toBeLessThanOrEqual(HOUR_MS);
      expect(await take([bucket], 3)).toMatchObject({ granted: true, levels: [{ tokens: 0 }] });
      expect(await take([bucket], 0)).toMatchObject({ granted: true });
    });

    it('grant a cost above the capacity only when full, and are in debt afterwards', async () => {
      const bucket = slow(4);
      expect(await take([bucket], 10)).toMatchObject({ granted: true, levels: [{ tokens: 0 }] });
      const refused = await take([bucket], 1);
      expect(refused.granted).toBe(false);
      // Six tokens of debt and the one that is asked for.
      expect(refused.retryAfterMs).toBeGreaterThan(7 * HOUR_MS - 30_000);
      const used = slow(4);
      await take([used]);
      expect(await take([used], 10)).toMatchObject({ granted: false, levels: [{ tokens: 3 }] });
    });

    it('are taken from all together or not at all', async () => {
      const [wide, narrow] = [slow(10), slow(1)];
      expect(await take([wide, narrow])).toMatchObject({
        granted: true,
        levels: [{ tokens: 9 }, { tokens: 0 }],
      });
      expect(await take([wide, narrow])).toMatchObject({
        granted: false,
        levels: [{ tokens: 9 }, { tokens: 0 }],
      });
      expect(await take([wide])).toMatchObject({ granted: true, levels: [{ tokens: 8 }] });
    });

    it('grant exactly their capacity to 100 concurrent requests', async () => {
      const bucket = slow(30);
      const grants = await Promise.all(Array.from({ length: 100 }, () => take([bucket])));
      expect(grants.filter(({ granted }) => granted)).toHaveLength(30);
    });

    it('grant again after the time that a refusal names', async () => {
      const bucket = { key: current().newKey(), capacity: 2, refillMs: 400 };
      await take([bucket], 2);
      const askedAtMs = performance.now();
      const { granted, retryAfterMs } = await take([bucket]);
      expect(granted).toBe(false);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(200);
      await until(() => performance.now() - askedAtMs > retryAfterMs, { what: 'the time that was named' });
      expect((await take([bucket])).granted).toBe(true);
    });

    it('refill at a constant rate and not beyond their capacity', async () => {
      const bucket = { key: current().newKey(), capacity: 3, refillMs: 60 };
      await take([bucket], 3);
      await until(async () => (await take([bucket], 0)).levels[0]!.fullInMs === 0, {
        what: 'the bucket is full',
      });
      expect(await take([bucket], 0)).toMatchObject({ levels: [{ tokens: 3, fullInMs: 0 }] });
    });

    it('have names apart from those of values', async () => {
      const bucket = slow(1);
      await current().state.set(bucket.key, 'value', HOUR_MS);
      expect((await take([bucket])).granted).toBe(true);
      expect(await current().state.get(bucket.key)).toBe('value');
    });

    it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
      'reject with BAD_REQUEST for a cost of %d',
      async (cost) => {
        await expect(take([slow(1)], cost)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      },
    );
  });
}
