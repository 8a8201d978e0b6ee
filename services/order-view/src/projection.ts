import { createMessage } from '@tidegate/core';
import { OrderDocumentChanged, topics } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import { evolveOrder } from './evolve.ts';
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
  clock?: () => number;
}): Projection {
  const { outbox, onApplied, clock = Date.now } = options;
  const guarded = new WeakMap<Unit, Set<number>>();

  return async (message, unit, partition) => {
    const orderId = message.subject;
    await guard(unit, partition);
    const row = await lock(unit, orderId);
    const known = JSON.parse(row.parts) as OrderParts;
    const parts = evolveOrder(known, message);
    if (parts === known) return;
    const version = parts.placed ? row.version + 1 : 0;
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
      // When the document became so; `updatedAt` in it says when what changed it happened.
      timeMs: clock(),
      data: document,
      causationid: message.id,
      traceparent: message.traceparent,
    });
    await outbox.add(unit, topics.orderDocuments, [changed]);
    unit.afterCommit(() => onApplied(orderId, parts.versionVector.orders));
  };

  /**
   * An order's streams lie on different topics, in partitions of the same number, and are consumed concurrently.
   * One lock a partition number, taken before any row, keeps two of them from deadlocking over batches that name
   * the same orders in another order.
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

/** The order's row, made when there is none yet: what does not exist cannot be locked. */
async function lock(unit: Unit, orderId: string): Promise<OrderDocumentsTable> {
  const known = await find(unit, orderId);
  if (known) return known;
  await unit.tx
    .insertInto('order_documents')
    .values({
      order_id: orderId,
      version: 0,
      orders_version: 0,
      parts: JSON.stringify(noParts),
      document: null,
      customer_id: null,
      status: null,
      placed_at: null,
    })
    .onConflict((conflict) => conflict.column('order_id').doNothing())
    .execute();
  return (await find(unit, orderId))!;
}

function find(unit: Unit, orderId: string): Promise<OrderDocumentsTable | undefined> {
  return unit.tx
    .selectFrom('order_documents')
    .selectAll()
    .where('order_id', '=', orderId)
    .forUpdate()
    .executeTakeFirst();
}

async function store(unit: Unit, { order_id: orderId, ...changes }: OrderDocumentsTable): Promise<void> {
  await unit.tx.updateTable('order_documents').set(changes).where('order_id', '=', orderId).execute();
}
