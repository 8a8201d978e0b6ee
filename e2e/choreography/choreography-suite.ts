import { getOrders, listOrders, topics, type OrderDocument } from '@order-platform/contracts';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { startPlatform as startPlatformOn, type Platform, type PlatformOptions } from './platform.ts';
import { line } from './products.ts';
import { stockThatAddsUp } from './stock.ts';
import type { Storage } from './storage.ts';

const hour = 3_600_000;

/** Each status once, in the order in which it was first seen. */
function statuses(documents: readonly OrderDocument[]): string[] {
  return [...new Set(documents.map(({ status }) => status))];
}

function expectDenseVersions(platform: Platform): void {
  for (const orderId of platform.publishedOrders()) {
    const versions = platform.published(orderId).map(({ version }) => version);
    expect({ orderId, versions }).toEqual({ orderId, versions: versions.map((_, index) => index + 1) });
  }
}

/** What the services promise together, on any adapters. */
export function describeChoreography(name: string, createStorage: () => Promise<Storage>): void {
  const startPlatform = async (options: PlatformOptions = {}): Promise<Platform> =>
    startPlatformOn(await createStorage(), options);

  describe(`the choreography on ${name}`, () => {
    describe('an order that goes well', () => {
      it('is reserved, paid, shipped and delivered, and its stock is sold', async () => {
        await using platform = await startPlatform();
        expect(await platform.place('o1', line('tea', 2), line('pot'))).toMatchObject({
          status: 'accepted',
          token: 'order/o1@1',
        });
        const delivered = await platform.reaches('o1', 'DELIVERED');
        expect(delivered).toMatchObject({ total: { amountCents: 3800 }, payment: { status: 'AUTHORIZED' } });
        await platform.quiet();
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
        expect(await stockThatAddsUp(platform)).toMatchObject({
          tea: { available: 998, reserved: 0, sold: 2 },
          pot: { available: 4, reserved: 0, sold: 1 },
        });
      });

      it('is read at once by whoever shows the token', async () => {
        await using platform = await startPlatform();
        for (let index = 0; index < 50; index++) {
          const orderId = `o${index}`;
          const result = await platform.place(orderId, line('tea'));
          if (result.status !== 'accepted') throw new Error('the order was rejected');
          const freshness = { token: result.token, waitMs: 5_000 };
          const one = await platform.client.call(getOrders, { ids: [orderId], freshness });
          expect(one).toMatchObject({ satisfied: true, orders: [{ orderId }] });
          const list = await platform.client.call(listOrders, { first: 1, freshness });
          expect(list).toMatchObject({ satisfied: true, orders: [{ orderId }] });
        }
      });
    });

    describe('an order that cannot be had', () => {
      it('is rejected when a product is out of stock, naming it, and nothing stays held', async () => {
        await using platform = await startPlatform();
        await platform.place('o1', line('tea'), line('pot', 6));
        const rejected = await platform.reaches('o1', 'REJECTED');
        expect(rejected.reason).toMatchObject({
          code: 'OUT_OF_STOCK',
          message: expect.stringContaining('pot') as string,
        });
        await platform.quiet();
        expect(await stockThatAddsUp(platform)).toMatchObject({
          tea: { available: 1000 },
          pot: { available: 5 },
        });
      });

      it('is rejected when a product is unknown', async () => {
        await using platform = await startPlatform();
        await platform.place('o1', line('rum'));
        expect(await platform.reaches('o1', 'REJECTED')).toMatchObject({
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
        await platform.quiet();
        expect(await stockThatAddsUp(platform)).toMatchObject({ cursed: { available: 1000, reserved: 0 } });
        expect(platform.provider.authorized()).toEqual([]);
      });
    });

    describe('an order that is cancelled', () => {
      async function expectNothingIsLeft(platform: Platform, orderId: string): Promise<void> {
        await platform.reaches(orderId, 'CANCELLED');
        await platform.quiet();
        await until(() => platform.provider.authorized().length === 0, { what: 'no money is held' });
        await platform.quiet();
        expect(platform.published(orderId).at(-1)?.status).toBe('CANCELLED');
        expect(await stockThatAddsUp(platform)).toMatchObject({
          tea: { available: 1000, reserved: 0, sold: 0 },
        });
        expectDenseVersions(platform);
      }

      it('as soon as it is placed leaves nothing behind', async () => {
        await using platform = await startPlatform({ prepareMs: hour });
        await platform.place('o1', line('tea'));
        expect(await platform.cancel('o1')).toMatchObject({ status: 'accepted' });
        await expectNothingIsLeft(platform, 'o1');
      });

      it('while the provider takes its time is not charged', async () => {
        await using platform = await startPlatform({ prepareMs: hour });
        await platform.behave({ delayMs: 300 });
        await platform.place('o1', line('tea'));
        await until(() => platform.provider.authorized().length === 1, { what: 'the provider is asked' });
        expect(await platform.cancel('o1')).toMatchObject({ status: 'accepted' });
        await expectNothingIsLeft(platform, 'o1');
      });

      it('while it is prepared is refunded and stays in the house', async () => {
        await using platform = await startPlatform({ prepareMs: hour });
        await platform.place('o1', line('tea'));
        await platform.reaches('o1', 'PREPARING');
        expect(await platform.cancel('o1')).toMatchObject({ status: 'accepted' });
        await until(() => platform.published('o1').at(-1)?.payment?.status === 'REFUNDED', {
          what: 'the payment is refunded',
        });
        await expectNothingIsLeft(platform, 'o1');
      });

      it('is not cancelled any more once it is on its way', async () => {
        await using platform = await startPlatform({ deliverMs: hour });
        await platform.place('o1', line('tea'));
        await until(() => platform.published('o1').at(-1)?.versionVector.orders === 3, {
          what: 'the order knows that it was dispatched',
        });
        expect(await platform.cancel('o1')).toMatchObject({
          status: 'rejected',
          reason: { code: 'TOO_LATE_TO_CANCEL' },
        });
      });
    });

    describe('a payment provider that is down', () => {
      it('delays an order and does not lose it', async () => {
        await using platform = await startPlatform();
        await platform.behave({ failRate: 1 });
        for (let index = 0; index < 12; index++) await platform.place(`o${index}`, line('tea'));
        await platform.reaches('o11', 'RESERVED');
        expect(platform.provider.authorized()).toEqual([]);
        await platform.behave({ failRate: 0 });
        for (let index = 0; index < 12; index++) await platform.reaches(`o${index}`, 'DELIVERED');
        expect(platform.provider.authorized()).toHaveLength(12);
      });

      it('ends in a rejection when it does not come back in time', async () => {
        await using platform = await startPlatform({ giveUpAfterMs: 100 });
        await platform.behave({ failRate: 1 });
        await platform.place('o1', line('tea'));
        expect(await platform.reaches('o1', 'REJECTED')).toMatchObject({
          reason: { code: 'PROVIDER_UNAVAILABLE' },
        });
      });
    });

    describe('everything that comes again', () => {
      it('changes nothing: not the documents, not the stock, not the payments', async () => {
        await using platform = await startPlatform();
        await platform.place('good', line('tea', 3));
        await platform.place('bad', line('cursed'));
        await Promise.all([platform.reaches('good', 'DELIVERED'), platform.reaches('bad', 'REJECTED')]);
        await platform.quiet();
        const before = await stateOf(platform);

        await repeatEverything(platform);
        await platform.quiet();
        expect(await stateOf(platform)).toEqual(before);
      });

      it('is answered as it was at first when it is a command', async () => {
        await using platform = await startPlatform();
        const first = await platform.place('o1', line('tea'));
        expect(await platform.place('o1', line('tea'))).toEqual(first);
        await platform.reaches('o1', 'DELIVERED');
        expect(await platform.place('o1', line('tea'))).toEqual(first);
      });

      it('is executed once when it is a command that comes twenty times at once', async () => {
        await using platform = await startPlatform({ prepareMs: hour });
        const results = await Promise.all(
          Array.from({ length: 20 }, () => platform.place('o1', line('tea'))),
        );
        expect(results).toEqual(results.map(() => ({ ...results[0], status: 'accepted', version: 1 })));
        await platform.reaches('o1', 'PREPARING');
        const cancels = await Promise.all(Array.from({ length: 20 }, () => platform.cancel('o1')));
        expect(cancels).toEqual(cancels.map(() => ({ ...cancels[0], status: 'accepted' })));
        await platform.quiet();
        expect(await stockThatAddsUp(platform)).toMatchObject({ tea: { available: 1000 } });
      });

      async function stateOf(platform: Platform) {
        const ids = platform.publishedOrders().toSorted();
        return {
          published: ids.map((id) => platform.published(id)),
          stock: await stockThatAddsUp(platform),
          authorized: platform.provider.authorized(),
        };
      }

      async function repeatEverything({ log }: Platform): Promise<void> {
        const { orderEvents, reservationEvents, paymentEvents, shipmentEvents, productEvents } = topics;
        for (const { name } of [
          orderEvents,
          reservationEvents,
          paymentEvents,
          shipmentEvents,
          productEvents,
        ]) {
          for (const { partition, start, end } of await log.ends(name)) {
            if (start === end) continue;
            const range = { topic: name, partition, fromOffset: start, toOffset: end, maxRecords: 1000 };
            const records = await log.read(range);
            await log.append(
              name,
              records.map(({ key, value, headers }) => ({ key, value, headers })),
            );
          }
        }
      }
    });

    describe('two hundred orders at once', () => {
      it('all end, stock and money add up, no version is missing', async () => {
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
        const paid = ids.filter((id) => last(id)?.status === 'DELIVERED');
        await until(() => platform.provider.authorized().length === paid.length, {
          what: 'refunds are made',
        });
        await platform.quiet();
        expect(platform.provider.authorized().toSorted()).toEqual(paid.toSorted());
        const stock = await stockThatAddsUp(platform);
        expect(Object.values(stock).map(({ reserved }) => reserved)).toEqual([0, 0, 0]);
        expectDenseVersions(platform);
        expect(new Set(ids.map((id) => last(id)?.status))).toEqual(final);
      });

      /** A linear congruential generator: the same orders in every run. */
      function numbers(seed: number): () => number {
        let state = seed;
        return () => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          return state >>> 16;
        };
      }
    });

    describe('a platform that is stopped halfway', () => {
      it('goes on where it left off', async () => {
        await using storage = await createStorage();
        const ids = Array.from({ length: 20 }, (_, index) => `o${index}`);
        {
          await using platform = await startPlatformOn(storage.reopened(), { prepareMs: 50, deliverMs: 50 });
          for (const id of ids) await platform.place(id, line('tea'));
          await platform.reaches('o0', 'RESERVED');
        }
        await using platform = await startPlatformOn(storage.reopened());
        for (const id of ids) await platform.reaches(id, 'DELIVERED');
        await platform.quiet();
        expectDenseVersions(platform);
        expect(await stockThatAddsUp(platform)).toMatchObject({
          tea: { available: 980, reserved: 0, sold: 20 },
        });
      });
    });
  });
}
