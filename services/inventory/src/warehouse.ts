import { createMessage, type Envelope } from '@tidegate/core';
import { StockLevelChanged, topics } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import { restock, type RestockRule, type StockLevel } from './evolve.ts';
import type { InventoryTables, ProductsTable } from './tables.ts';

type Unit = UnitOfWork<InventoryTables>;

/** Quantity by product id. */
export type Quantities = ReadonlyMap<string, number>;

/** A pure step of `evolve.ts`: the stock level after a quantity was reserved, released or sold. */
export type StockStep = (level: StockLevel, quantity: number) => StockLevel;

/** Stock levels of all products. */
export class Warehouse {
  readonly #outbox: Outbox;
  readonly #clock: () => number;
  readonly #restockRule: RestockRule | undefined;
  readonly #locked = new WeakSet<Unit>();

  constructor(options: {
    readonly outbox: Outbox;
    readonly clock: () => number;
    /** Refills a product after each change; undefined: products are never refilled. */
    readonly restockRule: RestockRule | undefined;
  }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock;
    this.#restockRule = options.restockRule;
  }

  /**
   * Locks all stock levels until the transaction ends. A consumer's transaction handles a batch of orders, which name
   * the same few products in any order: row locks alone would deadlock as soon as two partitions are consumed.
   */
  async lock(unit: Unit): Promise<void> {
    if (this.#locked.has(unit)) return;
    await unit.tx.selectFrom('stock_guard').select('id').where('id', '=', 1).forUpdate().execute();
    this.#locked.add(unit);
  }

  async find(unit: Unit, productIds: readonly string[]): Promise<Map<string, ProductsTable>> {
    const rows = await unit.tx
      .selectFrom('products')
      .selectAll()
      .where('product_id', 'in', productIds)
      .execute();
    return new Map(rows.map((row) => [row.product_id, row]));
  }

  /** Applies the step to each product's stock level and publishes the new levels. The caller holds the lock. */
  async change(unit: Unit, quantities: Quantities, step: StockStep, cause: Cause): Promise<void> {
    const products = await this.find(unit, [...quantities.keys()]);
    const messages: Envelope[] = [];
    for (const [productId, quantity] of quantities) {
      const product = products.get(productId);
      if (!product) throw new Error(`the product ${productId} has vanished`);
      const level = restock(step(levelOf(product), quantity), this.#restockRule);
      const sequence = product.sequence + 1;
      await unit.tx
        .updateTable('products')
        .set({ ...level, sequence })
        .where('product_id', '=', productId)
        .execute();
      messages.push(this.#changed(productId, level, sequence, cause));
    }
    await this.#outbox.add(unit, topics.productEvents, messages);
  }

  #changed(productId: string, level: StockLevel, sequence: number, cause: Cause): Envelope {
    return createMessage(StockLevelChanged, {
      id: `products/${productId}@${sequence}`,
      key: productId,
      sequence,
      timeMs: this.#clock(),
      data: { productId, available: level.available, reserved: level.reserved },
      causationid: cause.id,
      traceparent: cause.traceparent,
    });
  }
}

function levelOf({ received, available, reserved, sold }: ProductsTable): StockLevel {
  return { received, available, reserved, sold };
}
