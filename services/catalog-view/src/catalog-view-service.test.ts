import { createMessage, decodeEnvelope, encodeEnvelope, type Envelope, type OutputOf } from '@tidegate/core';
import {
  getProducts,
  listProducts,
  ProductListed,
  StockLevelChanged,
  topics,
  type ProductDocument,
} from '@order-platform/contracts';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createServiceClient } from '@tidegate/service/operations';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createCatalogViewService } from './catalog-view-service.ts';
import type { CatalogViewTables } from './tables.ts';

async function startView() {
  const directory = await temporaryDirectory();
  const logger = silentLogger;
  const database = createSqliteDatabase<CatalogViewTables>({ path: `${directory.path}/view.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  const service = createCatalogViewService({ database, log, logger, partitions: 1 });
  await service.start();
  const attributes = (productId: string, sequence: number) => ({
    id: `products/${productId}@${sequence}`,
    key: productId,
    sequence,
    timeMs: 1_700_000_000_000 + sequence,
  });
  const append = (envelope: Envelope) => log.append(topics.productEvents.name, [encodeEnvelope(envelope)]);

  return {
    client: createServiceClient({ services: { 'catalog-view': service.handle } }),
    list: (productId: string, name: string, category: string) =>
      append(
        createMessage(ProductListed, {
          ...attributes(productId, 1),
          data: { productId, name, description: '', category, priceCents: 450, image: '🍵', available: 10 },
        }),
      ),
    level: (productId: string, sequence: number, available: number, reserved: number) =>
      append(
        createMessage(StockLevelChanged, {
          ...attributes(productId, sequence),
          data: { productId, available, reserved },
        }),
      ),
    async publishes(count: number): Promise<ProductDocument[]> {
      const { name } = topics.productDocuments;
      const range = { topic: name, partition: 0, fromOffset: 0, toOffset: 10_000, maxRecords: 10_000 };
      await until(async () => (await log.read(range)).length >= count, {
        what: `${count} documents are published`,
      });
      return (await log.read(range)).map((record) => decodeEnvelope(record).data as ProductDocument);
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

describe('the catalogue view', () => {
  it('publishes each change of a product once, as a whole document with dense versions', async () => {
    await using view = await startView();
    await view.list('tea', 'Green tea', 'Kitchen');
    await view.level('tea', 2, 8, 2);
    await view.level('tea', 2, 8, 2);
    await view.level('tea', 3, 10, 0);
    const documents = await view.publishes(3);
    expect(documents.map(({ version, available, reserved }) => [version, available, reserved])).toEqual([
      [1, 10, 0],
      [2, 8, 2],
      [3, 10, 0],
    ]);
  });

  it('returns products in the order of the ids, null for unknown ones', async () => {
    await using view = await startView();
    await view.list('tea', 'Green tea', 'Kitchen');
    await view.list('pot', 'Teapot', 'Kitchen');
    await view.publishes(2);
    const { products } = await view.client.call(getProducts, { ids: ['pot', 'none', 'tea'] });
    expect(products.map((product) => product?.name)).toEqual(['Teapot', undefined, 'Green tea']);
  });

  it('pages products by name, all or of one category', async () => {
    await using view = await startView();
    await view.list('p1', 'Tea', 'Kitchen');
    await view.list('p2', 'Ball', 'Sports');
    await view.list('p3', 'Tea', 'Kitchen');
    await view.list('p4', 'Cup', 'Kitchen');
    await view.publishes(4);
    const seen: string[] = [];
    let page: OutputOf<typeof listProducts> | undefined;
    do {
      const last = page?.products.at(-1);
      const after = last && { name: last.name, productId: last.productId };
      page = await view.client.call(listProducts, {
        first: 1,
        category: 'Kitchen',
        ...(after ? { after } : {}),
      });
      expect(page.totalCount).toBe(3);
      seen.push(...page.products.map(({ productId }) => productId));
    } while (page.hasNextPage);
    expect(seen).toEqual(['p4', 'p1', 'p3']);
    expect((await view.client.call(listProducts, { first: 10 })).totalCount).toBe(4);
  });
});
