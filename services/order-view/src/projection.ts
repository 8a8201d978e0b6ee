import { createMessage, OrderDocumentChanged, topics } from '@tidegate/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/outbox';
import { evolveOrder } from './evolve-order.ts';
import { orderDocumentOf } from './order-document.ts';
import { noParts, type JoinedMessage, type OrderParts } from './order-parts.ts';
import type { OrderDocumentsTable, OrderViewTables } from './tables.ts';

type Unit = UnitOfWork<OrderViewTables>;

/** Applies one message of any joined stream to its order's row, and publishes the document that results. */
export type Projection = (message: JoinedMessage, unit: Unit, partition: number) => Promise<void>;

export function createProjection(options: {
  outbox: Outbox;
  /** Called after the commit with what the orders stream has reached in the document. */
  onApplied: (orderId: string, ordersVersion: number) => void;
}): Projection {
  const { outbox, onApplied } = options;
  const guarded = new WeakMap<Unit, Set<number>>();

  return async (message, unit, partition) => {
    const orderId = message.subject;
    await guard(unit, partition);
    const row = await find(unit, orderId);
    const known = row ? (JSON.parse(row.parts) as OrderParts) : noParts;
    const parts = evolveOrder(known, message);
    if (parts === known) return;
    const version = parts.placed ? (row?.version ?? 0) + 1 : 0;
    const document = orderDocumentOf(orderId, version, parts);
    await store(unit, {
      order_id: orderId,
      version,
      orders_version: parts.versionVector.orders,
      parts: JSON.stringify(parts),
      document: document ? JSON.stringify(document) : null,
      customer_id: document?.customerId ?? null,
      status: document?.status ?? null,
      placed_at: document?.placedAt ?? null,
    });
    if (!document) return;
    const changed = createMessage(OrderDocumentChanged, {
      id: `order/${orderId}@${version}`,
      key: orderId,
      sequence: version,
      timeMs: Date.parse(document.updatedAt),
      data: document,
      causationid: message.id,
      traceparent: message.traceparent,
    });
    await outbox.add(unit, topics.orderDocuments, [changed]);
    unit.afterCommit(() => onApplied(orderId, parts.versionVector.orders));
  };

  /**
   * An order's streams lie on different topics, in partitions of the same number, and are consumed concurrently.
   * One lock a partition number, taken before any row, keeps two of them from updating a document at once, and
   * from deadlocking over batches that name the same orders in another order.
   */
  async function guard(unit: Unit, partition: number): Promise<void> {
    const held = guarded.get(unit) ?? new Set();
    if (held.has(partition)) return;
    await unit.tx
      .insertInto('partition_guards')
      .values({ partition })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await unit.tx
      .selectFrom('partition_guards')
      .select('partition')
      .where('partition', '=', partition)
      .forUpdate()
      .execute();
    guarded.set(unit, held.add(partition));
  }
}

function find(unit: Unit, orderId: string): Promise<OrderDocumentsTable | undefined> {
  return unit.tx
    .selectFrom('order_documents')
    .selectAll()
    .where('order_id', '=', orderId)
    .forUpdate()
    .executeTakeFirst();
}

async function store(unit: Unit, row: OrderDocumentsTable): Promise<void> {
  const { order_id: _, ...changes } = row;
  await unit.tx
    .insertInto('order_documents')
    .values(row)
    .onConflict((conflict) => conflict.column('order_id').doUpdateSet(changes))
    .execute();
}
