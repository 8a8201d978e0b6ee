import { createMessage, type Envelope } from '@tidegate/core';
import { ProductDocumentChanged, topics, type ProductDocument } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import { evolve } from './evolve.ts';
import type { ConsumedMessage } from './messages.ts';
import type { CatalogViewTables } from './tables.ts';

type Unit = UnitOfWork<CatalogViewTables>;

/** Turns messages into documents: load the document, evolve it, store and publish the new one. */
export class ProductProjection {
  readonly #outbox: Outbox;
  readonly #clock: () => number;

  constructor(options: {
    readonly outbox: Outbox;
    /** Returns the time in epoch milliseconds. Default `Date.now`. */
    readonly clock?: () => number;
  }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock ?? Date.now;
  }

  /** Applies the message to its product. Does nothing when the product's version vector contains it already. */
  async apply(message: ConsumedMessage, unit: Unit): Promise<void> {
    const known = await lock(unit, message.subject);
    const document = evolve(known, message);
    if (!document || document === known) return;
    await store(unit, document);
    await this.#outbox.add(unit, topics.productDocuments, [this.#changed(document, message)]);
  }

  #changed(document: ProductDocument, cause: ConsumedMessage): Envelope {
    const { productId, version } = document;
    return createMessage(ProductDocumentChanged, {
      id: `product/${productId}@${version}`,
      key: productId,
      sequence: version,
      // Time of the projection. `updatedAt` in the document is the time of the source event.
      timeMs: this.#clock(),
      data: document,
      causationid: cause.id,
      traceparent: cause.traceparent,
    });
  }
}

/** Locks the product's row. One partition has all its messages, so two consumers meet here only during a rebalance. */
async function lock(unit: Unit, productId: string): Promise<ProductDocument | undefined> {
  const row = await unit.tx
    .selectFrom('product_documents')
    .select('document')
    .where('product_id', '=', productId)
    .forUpdate()
    .executeTakeFirst();
  return row && (JSON.parse(row.document) as ProductDocument);
}

async function store(unit: Unit, document: ProductDocument): Promise<void> {
  const changes = { name: document.name, category: document.category, document: JSON.stringify(document) };
  await unit.tx
    .insertInto('product_documents')
    .values({ product_id: document.productId, ...changes })
    .onConflict((conflict) => conflict.column('product_id').doUpdateSet(changes))
    .execute();
}
