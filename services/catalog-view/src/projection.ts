import { createMessage } from '@tidegate/core';
import { ProductDocumentChanged, topics, type ProductDocument } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import { evolveProduct, type ProductMessage } from './evolve.ts';
import type { CatalogViewTables } from './tables.ts';

type Unit = UnitOfWork<CatalogViewTables>;

/** Applies one message to its product's row, and publishes the document that results. */
export function createProjection(outbox: Outbox, clock: () => number = Date.now) {
  return async (message: ProductMessage, unit: Unit): Promise<void> => {
    const known = await find(unit, message.subject);
    const document = evolveProduct(known, message);
    if (!document || document === known) return;
    await store(unit, document);
    const { productId, version } = document;
    const changed = createMessage(ProductDocumentChanged, {
      id: `product/${productId}@${version}`,
      key: productId,
      sequence: version,
      // When the document became so; `updatedAt` in it says when what changed it happened.
      timeMs: clock(),
      data: document,
      causationid: message.id,
      traceparent: message.traceparent,
    });
    await outbox.add(unit, topics.productDocuments, [changed]);
  };
}

/** A product's messages are of one partition: only its consumer gets here, the lock is for a takeover. */
async function find(unit: Unit, productId: string): Promise<ProductDocument | undefined> {
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
