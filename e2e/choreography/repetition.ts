import { topics } from '@order-platform/contracts';
import { describe, expect, it } from 'vitest';
import type { Platform, StartPlatform } from './platform.ts';
import { line } from './products.ts';
import { checkedStock } from './stock.ts';

const hour = 3_600_000;

export function describeRepetition(startPlatform: StartPlatform): void {
  describe('repeated messages', () => {
    it('change neither documents nor stock nor payments', async () => {
      await using platform = await startPlatform();
      await platform.place('good', line('tea', 3));
      await platform.place('bad', line('cursed'));
      await Promise.all([platform.reaches('good', 'DELIVERED'), platform.reaches('bad', 'REJECTED')]);
      await platform.idle();
      const before = await stateOf(platform);

      await repeatEverything(platform);
      await platform.idle();
      expect(await stateOf(platform)).toEqual(before);
    });

    it('return the first outcome when they are commands', async () => {
      await using platform = await startPlatform();
      const first = await platform.place('o1', line('tea'));
      expect(await platform.place('o1', line('tea'))).toEqual(first);
      await platform.reaches('o1', 'DELIVERED');
      expect(await platform.place('o1', line('tea'))).toEqual(first);
    });

    it('are executed once when they are twenty concurrent commands', async () => {
      await using platform = await startPlatform({ prepareMs: hour });
      const results = await Promise.all(Array.from({ length: 20 }, () => platform.place('o1', line('tea'))));
      expect(results).toEqual(results.map(() => ({ ...results[0], status: 'accepted', version: 1 })));
      await platform.reaches('o1', 'PREPARING');
      const cancels = await Promise.all(Array.from({ length: 20 }, () => platform.cancel('o1')));
      expect(cancels).toEqual(cancels.map(() => ({ ...cancels[0], status: 'accepted' })));
      await platform.idle();
      expect(await checkedStock(platform)).toMatchObject({ tea: { available: 1000 } });
    });
  });
}

async function stateOf(platform: Platform) {
  const ids = platform.publishedOrders().toSorted();
  return {
    published: ids.map((id) => platform.published(id)),
    stock: await checkedStock(platform),
    authorized: platform.provider.authorized(),
  };
}

async function repeatEverything({ log }: Platform): Promise<void> {
  const { orderEvents, reservationEvents, paymentEvents, shipmentEvents, productEvents } = topics;
  for (const { name } of [orderEvents, reservationEvents, paymentEvents, shipmentEvents, productEvents]) {
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
