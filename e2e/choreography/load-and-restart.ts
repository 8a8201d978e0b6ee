import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { expectDenseVersions } from './dense-versions.ts';
import { Platform, type StartPlatform } from './platform.ts';
import { line } from './products.ts';
import { checkedStock } from './stock.ts';
import type { Storage } from './storage.ts';

export function describeLoadAndRestart(
  startPlatform: StartPlatform,
  createStorage: () => Promise<Storage>,
): void {
  describe('two hundred concurrent orders', () => {
    it('all end, stock and payments add up, no version is missing', async () => {
      await using platform = await startPlatform({ prepareMs: 20 });
      const ids = Array.from({ length: 200 }, (_, index) => `o${index}`);
      const random = numbers(42);
      await Promise.all(
        ids.map(async (id) => {
          const productId = ['tea', 'tea', 'pot', 'cursed'][random() % 4]!;
          await platform.place(id, line(productId, 1 + (random() % 3)), line('tea', 1 + (random() % 2)));
          if (random() % 4 === 0) await platform.cancel(id);
        }),
      );
      const final = new Set(['DELIVERED', 'REJECTED', 'CANCELLED']);
      const last = (id: string) => platform.published(id).at(-1);
      await until(() => ids.every((id) => final.has(last(id)?.status ?? '')), {
        what: 'every order has ended',
        timeoutMs: 25_000,
      });
      const delivered = ids.filter((id) => last(id)?.status === 'DELIVERED');
      await until(() => platform.provider.authorized().length === delivered.length, {
        what: 'refunds are made',
      });
      await platform.idle();
      expect(platform.provider.authorized().toSorted()).toEqual(delivered.toSorted());
      const stock = await checkedStock(platform);
      expect(Object.values(stock).map(({ reserved }) => reserved)).toEqual([0, 0, 0]);
      expectDenseVersions(platform);
      expect(new Set(ids.map((id) => last(id)?.status))).toEqual(final);
    });

    /** A linear congruential generator, so that every run has the same orders. */
    function numbers(seed: number): () => number {
      let state = seed;
      return () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state >>> 16;
      };
    }
  });

  describe('a platform that is stopped under load', () => {
    it('continues after a restart', async () => {
      await using storage = await createStorage();
      const ids = Array.from({ length: 20 }, (_, index) => `o${index}`);
      {
        await using platform = await Platform.start(storage.reopened(), { prepareMs: 50, deliverMs: 50 });
        for (const id of ids) await platform.place(id, line('tea'));
        await platform.reaches('o0', 'RESERVED');
      }
      await using platform = await Platform.start(storage.reopened());
      for (const id of ids) await platform.reaches(id, 'DELIVERED');
      await platform.idle();
      expectDenseVersions(platform);
      expect(await checkedStock(platform)).toMatchObject({
        tea: { available: 980, reserved: 0, sold: 20 },
      });
    });
  });
}
