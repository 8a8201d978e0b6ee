import { createMessage } from '@tidegate/core';
import { ProductListed, topics } from '@order-platform/contracts';
import type { Database } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { NewProduct } from './assortment.ts';
import { openingStock } from './evolve.ts';
import type { InventoryTables } from './tables.ts';

/** Lists new products. Each is listed once, even when two processes start concurrently. */
export async function listAssortment(options: {
  database: Database<InventoryTables>;
  outbox: Outbox;
  products: readonly NewProduct[];
  clock: () => number;
}): Promise<void> {
  const { database, outbox, products, clock } = options;
  if (products.length === 0) return;
  await database.transaction(async (unit) => {
    const inserted = await unit.tx
      .insertInto('products')
      .values(
        products.map(({ productId, name, stock }) => ({
          product_id: productId,
          name,
          ...openingStock(stock),
          sequence: 1,
        })),
      )
      .onConflict((conflict) => conflict.column('product_id').doNothing())
      .returning('product_id')
      .execute();
    const listed = new Set(inserted.map((row) => row.product_id));
    const messages = products
      .filter(({ productId }) => listed.has(productId))
      .map(({ stock, ...product }) =>
        createMessage(ProductListed, {
          id: `products/${product.productId}@1`,
          key: product.productId,
          sequence: 1,
          timeMs: clock(),
          data: { ...product, available: stock },
        }),
      );
    await outbox.add(unit, topics.productEvents, messages);
  });
}
