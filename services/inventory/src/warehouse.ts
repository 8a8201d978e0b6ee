import { createMessage } from '@tidegate/core';
import { StockLevelChanged, topics } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import { restock, type RestockRule, type StockLevel } from './stock-level.ts';
import type { InventoryTables, ProductsTable } from './tables.ts';

export type Quantities = ReadonlyMap<string, number>;

export interface Warehouse {
  /** Makes this transaction the only one that changes stock until it ends. */
  lock(unit: UnitOfWork<InventoryTables>): Promise<void>;
  find(unit: UnitOfWork<InventoryTables>, productIds: readonly string[]): Promise<Map<string, ProductsTable>>;
  /** Applies the step to each product's level and says so; to be called under the lock. */
  change(
    unit: UnitOfWork<InventoryTables>,
    quantities: Quantities,
    step: (level: StockLevel, quantity: number) => StockLevel,
    cause: Cause,
  ): Promise<void>;
}

/** The products' rows. */
export function createWarehouse(options: {
  outbox: Outbox;
  clock: () => number;
  restockRule: RestockRule | undefined;
}): Warehouse {
  const { outbox, clock, restockRule } = options;
  const locked = new WeakSet<UnitOfWork<InventoryTables>>();

  /**
   * A consumer's transaction holds a whole batch of orders: they touch the same few products in any order, so
   * row locks alone would deadlock as soon as two partitions run.
   */
  async function lock(unit: UnitOfWork<InventoryTables>): Promise<void> {
    if (locked.has(unit)) return;
    await unit.tx.selectFrom('stock_guard').select('id').where('id', '=', 1).forUpdate().execute();
    locked.add(unit);
  }

  async function find(
    unit: UnitOfWork<InventoryTables>,
    productIds: readonly string[],
  ): Promise<Map<string, ProductsTable>> {
    const rows = await unit.tx
      .selectFrom('products')
      .selectAll()
      .where('product_id', 'in', productIds)
      .execute();
    return new Map(rows.map((row) => [row.product_id, row]));
  }

  async function change(
    unit: UnitOfWork<InventoryTables>,
    quantities: Quantities,
    step: (level: StockLevel, quantity: number) => StockLevel,
    cause: Cause,
  ): Promise<void> {
    const products = await find(unit, [...quantities.keys()]);
    const messages = [];
    for (const [productId, quantity] of quantities) {
      const product = products.get(productId);
      if (!product) throw new Error(`the product ${productId} has vanished`);
      const level = restock(step(levelOf(product), quantity), restockRule);
      const sequence = product.sequence + 1;
      await unit.tx
        .updateTable('products')
        .set({ ...level, sequence })
        .where('product_id', '=', productId)
        .execute();
      messages.push(
        createMessage(StockLevelChanged, {
          id: `products/${productId}@${sequence}`,
          key: productId,
          sequence,
          timeMs: clock(),
          data: { productId, available: level.available, reserved: level.reserved },
          causationid: cause.id,
          traceparent: cause.traceparent,
        }),
      );
    }
    await outbox.add(unit, topics.productEvents, messages);
  }

  return { lock, find, change };
}

function levelOf({ received, available, reserved, sold }: ProductsTable): StockLevel {
  return { received, available, reserved, sold };
}
