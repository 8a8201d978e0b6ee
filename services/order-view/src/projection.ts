import { createMessage, type Envelope } from '@tidegate/core';
import { OrderDocumentChanged, topics, type OrderDocument } from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import { evolve } from './evolve.ts';
import type { ConsumedMessage } from './messages.ts';
import { orderDocumentOf } from './order-document.ts';
import { noParts, type OrderParts } from './order-parts.ts';
import { PartitionLocks } from './partition-locks.ts';
import type { OrderVersion } from './queries.ts';
import type { OrderDocumentsTable, OrderViewTables } from './tables.ts';

type Unit = UnitOfWork<OrderViewTables>;

/** Called after each commit with the version of the orders stream that the document contains. */
type OnApplied = (orderId: string, applied: OrderVersion) => void;

/** Joins messages into documents: load the row, evolve its parts, store and publish the new document. */
export class OrderProjection {
  readonly #outbox: Outbox;
  readonly #onApplied: OnApplied;
  readonly #clock: () => number;
  readonly #locks = new PartitionLocks();

  constructor(options: {
    readonly outbox: Outbox;
    readonly onApplied: OnApplied;
    /** Returns the time in epoch milliseconds. Default `Date.now`. */
    readonly clock?: () => number;
  }) {
    this.#outbox = options.outbox;
    this.#onApplied = options.onApplied;
    this.#clock = options.clock ?? Date.now;
  }

  /** Applies the message to its order. Does nothing when the order's version vector contains it already. */
  async apply(message: ConsumedMessage, unit: Unit, partition: number): Promise<void> {
    const orderId = message.subject;
    await this.#locks.take(unit, partition);
    const row = await lock(unit, orderId);
    const known = JSON.parse(row.parts) as OrderParts;
    const parts = evolve(known, message);
    if (parts === known) return;
    const version = parts.placed ? row.version + 1 : 0;
    const document = orderDocumentOf(orderId, version, parts);
    await store(unit, orderId, version, parts, document);
    if (!document) return;
    await this.#outbox.add(unit, topics.orderDocuments, [this.#changed(document, message)]);
    const applied = { version: parts.versionVector.orders, customerId: document.customerId };
    unit.afterCommit(() => this.#onApplied(orderId, applied));
  }

  #changed(document: OrderDocument, cause: ConsumedMessage): Envelope {
    const { orderId, version } = document;
    return createMessage(OrderDocumentChanged, {
      id: `order/${orderId}@${version}`,
      key: orderId,
      sequence: version,
      // Time of the projection. `updatedAt` in the document is the time of the source event.
      timeMs: this.#clock(),
      data: document,
      causationid: cause.id,
      traceparent: cause.traceparent,
    });
  }
}

/** Locks the order's row. Inserts it first when there is none, because a missing row cannot be locked. */
async function lock(unit: Unit, orderId: string): Promise<OrderDocumentsTable> {
  const known = await find(unit, orderId);
  if (known) return known;
  await unit.tx
    .insertInto('order_documents')
    .values({ order_id: orderId, ...columnsOf(0, noParts, undefined) })
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

async function store(
  unit: Unit,
  orderId: string,
  version: number,
  parts: OrderParts,
  document: OrderDocument | undefined,
): Promise<void> {
  await unit.tx
    .updateTable('order_documents')
    .set(columnsOf(version, parts, document))
    .where('order_id', '=', orderId)
    .execute();
}

function columnsOf(
  version: number,
  parts: OrderParts,
  document: OrderDocument | undefined,
): Omit<OrderDocumentsTable, 'order_id'> {
  return {
    version,
    orders_version: parts.versionVector.orders,
    parts: JSON.stringify(parts),
    document: document ? JSON.stringify(document) : null,
    customer_id: document?.customerId ?? null,
    status: document?.status ?? null,
    placed_at: document?.placedAt ?? null,
  };
}
