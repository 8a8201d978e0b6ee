import { getOrders, listOrders, type OrderDocument } from '@order-platform/contracts';
import { describe, expect, it } from 'vitest';
import { expectDenseVersions } from './dense-versions.ts';
import type { StartPlatform } from './platform.ts';
import { line } from './products.ts';
import { checkedStock } from './stock.ts';

export function describeFulfilment(startPlatform: StartPlatform): void {
  describe('an order that succeeds', () => {
    it('is reserved, paid, shipped and delivered, and its stock is sold', async () => {
      await using platform = await startPlatform();
      expect(await platform.place('o1', line('tea', 2), line('pot'))).toMatchObject({
        status: 'accepted',
        token: 'order/o1@1',
      });
      const delivered = await platform.reaches('o1', 'DELIVERED');
      expect(delivered).toMatchObject({ total: { amountCents: 3800 }, payment: { status: 'AUTHORIZED' } });
      await platform.idle();
      const seen = statuses(platform.published('o1'));
      expect(seen).toEqual(expect.arrayContaining(['PLACED', 'DELIVERED']));
      expect(seen.at(-1)).toBe('DELIVERED');
      expect(platform.published('o1').at(-1)?.versionVector).toEqual({
        orders: 4,
        inventory: 1,
        payments: 1,
        shipping: 3,
      });
      expectDenseVersions(platform);
      expect(await checkedStock(platform)).toMatchObject({
        tea: { available: 998, reserved: 0, sold: 2 },
        pot: { available: 4, reserved: 0, sold: 1 },
      });
    });

    it('is contained in every read with its token', async () => {
      await using platform = await startPlatform();
      for (let index = 0; index < 50; index++) {
        const orderId = `o${index}`;
        const result = await platform.place(orderId, line('tea'));
        if (result.status !== 'accepted') throw new Error('the order was rejected');
        const freshness = { token: result.token, waitMs: 5_000 };
        const one = await platform.client.call(getOrders, {
          access: { kind: 'all' },
          ids: [orderId],
          freshness,
        });
        expect(one).toMatchObject({ satisfied: true, orders: [{ orderId }] });
        const list = await platform.client.call(listOrders, {
          access: { kind: 'all' },
          first: 1,
          freshness,
        });
        expect(list).toMatchObject({ satisfied: true, orders: [{ orderId }] });
      }
    });
  });

  describe('an order that fails', () => {
    it('is rejected when a product is out of stock, naming it, and nothing stays reserved', async () => {
      await using platform = await startPlatform();
      await platform.place('o1', line('tea'), line('pot', 6));
      const rejected = await platform.reaches('o1', 'REJECTED');
      expect(rejected.reason).toMatchObject({
        code: 'OUT_OF_STOCK',
        message: expect.stringContaining('pot') as string,
      });
      await platform.idle();
      expect(await checkedStock(platform)).toMatchObject({
        tea: { available: 1000 },
        pot: { available: 5 },
      });
    });

    it('is rejected when a product is unknown', async () => {
      await using platform = await startPlatform();
      expect(await platform.place('o1', line('rum'))).toMatchObject({
        status: 'rejected',
        reason: { code: 'UNKNOWN_PRODUCT' },
      });
    });

    it('is rejected when the payment is declined, and its stock is released', async () => {
      await using platform = await startPlatform();
      await platform.place('o1', line('cursed'));
      expect(await platform.reaches('o1', 'REJECTED')).toMatchObject({
        reason: { code: 'CARD_DECLINED' },
        payment: { status: 'DECLINED' },
      });
      await platform.idle();
      expect(await checkedStock(platform)).toMatchObject({ cursed: { available: 1000, reserved: 0 } });
      expect(platform.provider.authorized()).toEqual([]);
    });
  });

  describe('a payment provider that fails', () => {
    it('delays orders and loses none', async () => {
      await using platform = await startPlatform();
      await platform.behave({ failRate: 1 });
      for (let index = 0; index < 12; index++) await platform.place(`o${index}`, line('tea'));
      await platform.reaches('o11', 'RESERVED');
      expect(platform.provider.authorized()).toEqual([]);
      await platform.behave({ failRate: 0 });
      for (let index = 0; index < 12; index++) await platform.reaches(`o${index}`, 'DELIVERED');
      expect(platform.provider.authorized()).toHaveLength(12);
    });

    it('leads to a rejection when it does not recover in time', async () => {
      await using platform = await startPlatform({ giveUpAfterMs: 100 });
      await platform.behave({ failRate: 1 });
      await platform.place('o1', line('tea'));
      expect(await platform.reaches('o1', 'REJECTED')).toMatchObject({
        reason: { code: 'PROVIDER_UNAVAILABLE' },
      });
    });
  });
}

/** Returns each status once, in order of its first appearance. */
function statuses(documents: readonly OrderDocument[]): string[] {
  return [...new Set(documents.map(({ status }) => status))];
}
