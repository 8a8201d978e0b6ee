import type { DataOf } from '@tidegate/core';
import type { ProductDocumentChanged } from '@order-platform/contracts';
import type { Database, UnitOfWork } from '@tidegate/database';
import { delay } from '@tidegate/runtime/resilience';
import type { Kysely } from 'kysely';
import type { OrdersTables } from './tables.ts';

/** Interval in milliseconds between two looks for a price that is awaited. */
const RECHECK_MS = 25;

/** Prices of products, as the catalogue publishes them: what an order costs is decided here, not by its sender. */
export class ProductPrices {
  readonly #database: Database<OrdersTables>;
  /** Committed prices. Most changes of a product are of its stock: they are compared here and not written. */
  readonly #committed = new Map<string, number>();

  constructor(database: Database<OrdersTables>) {
    this.#database = database;
  }

  /** Stores the price of a product unless it is known. */
  async apply(unit: UnitOfWork<OrdersTables>, product: DataOf<typeof ProductDocumentChanged>): Promise<void> {
    const { productId, version, price } = product;
    const unitPriceCents = price.amountCents;
    if (this.#committed.get(productId) === unitPriceCents) return;
    const changes = { unit_price_cents: unitPriceCents, version };
    await unit.tx
      .insertInto('product_prices')
      .values({ product_id: productId, ...changes })
      .onConflict((conflict) =>
        conflict.column('product_id').doUpdateSet(changes).where('product_prices.version', '<', version),
      )
      .execute();
    unit.afterCommit(() => this.#committed.set(productId, unitPriceCents));
  }

  /** Returns the price in cents of each known product. */
  async of(db: Kysely<OrdersTables>, productIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await db
      .selectFrom('product_prices')
      .select(['product_id', 'unit_price_cents'])
      .where('product_id', 'in', [...new Set(productIds)])
      .execute();
    return new Map(rows.map((row) => [row.product_id, row.unit_price_cents]));
  }

  /**
   * Waits until all prices are known, at most `waitMs` milliseconds: another view of the catalogue may be ahead of this
   * one. Resolves in any case; rejects with the signal's reason when it aborts.
   */
  async waitFor(productIds: readonly string[], waitMs: number, signal: AbortSignal): Promise<void> {
    const wanted = new Set(productIds).size;
    const endMs = performance.now() + waitMs;
    while ((await this.of(this.#database.query, productIds)).size < wanted) {
      if (performance.now() >= endMs) return;
      await delay(RECHECK_MS, signal);
    }
  }
}
