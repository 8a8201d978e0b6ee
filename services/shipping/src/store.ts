import { createMessage, type Envelope } from '@tidegate/core';
import { ShipmentDelivered, ShipmentDispatched, ShipmentPrepared, topics } from '@order-platform/contracts';
import type { Database, UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import {
  advanceShipment,
  parcelOf,
  prepareShipment,
  shipmentIdOf,
  stopShipment,
  type Shipment,
  type ShippingTimes,
} from './decide.ts';
import type { ShipmentsTable, ShippingTables } from './tables.ts';

type Unit = UnitOfWork<ShippingTables>;

/** One shipment per order, with the time at which its next stage is due. */
export class ShipmentStore {
  readonly #database: Database<ShippingTables>;
  readonly #outbox: Outbox;
  readonly #clock: () => number;
  readonly #times: ShippingTimes;
  readonly #onDue: () => void;

  constructor(options: {
    readonly database: Database<ShippingTables>;
    readonly outbox: Outbox;
    readonly clock: () => number;
    readonly times: ShippingTimes;
    /** Called after each commit that set a new due time. */
    readonly onDue: () => void;
  }) {
    this.#database = options.database;
    this.#outbox = options.outbox;
    this.#clock = options.clock;
    this.#times = options.times;
    this.#onDue = options.onDue;
  }

  /** Stores the order's shipment and publishes ShipmentPrepared. Idempotent. */
  async prepare(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    const { status, dueAt } = prepareShipment(this.#clock(), this.#times);
    const row: ShipmentsTable = {
      order_id: orderId,
      shipment_id: shipmentIdOf(orderId),
      status,
      due_at: dueAt,
      sequence: 1,
      cause_id: cause.id,
      traceparent: cause.traceparent ?? null,
    };
    const inserted = await unit.tx
      .insertInto('shipments')
      .values(row)
      .onConflict((conflict) => conflict.column('order_id').doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) return;
    await this.#outbox.add(unit, topics.shipmentEvents, [messageOf(row, this.#clock())]);
    unit.afterCommit(this.#onDue);
  }

  /** Stops the order's shipment if it is not dispatched yet. */
  async stop(unit: Unit, orderId: string): Promise<void> {
    const row = await unit.tx
      .selectFrom('shipments')
      .selectAll()
      .where('order_id', '=', orderId)
      .forUpdate()
      .executeTakeFirst();
    const stopped = row && stopShipment(shipmentOf(row));
    if (stopped) await this.#update(unit, orderId, { status: stopped.status, due_at: stopped.dueAt });
  }

  /** Moves at most `limit` due shipments to their next stage and publishes their events. Returns how many were due. */
  advanceDue(limit: number): Promise<number> {
    return this.#database.transaction(async (unit) => {
      const rows = await this.#lockDue(unit, limit);
      const messages: Envelope[] = [];
      for (const row of rows) {
        const next = advanceShipment(shipmentOf(row), this.#clock(), this.#times);
        if (!next) continue;
        const changes = { status: next.status, due_at: next.dueAt, sequence: row.sequence + 1 };
        await this.#update(unit, row.order_id, changes);
        messages.push(messageOf({ ...row, ...changes }, this.#clock()));
      }
      await this.#outbox.add(unit, topics.shipmentEvents, messages);
      return rows.length;
    });
  }

  /** Returns the time at which the next stage is due, in epoch milliseconds; undefined when there is none. */
  async nextDue(): Promise<number | undefined> {
    const row = await this.#database.query
      .selectFrom('shipments')
      .select('due_at')
      .where('due_at', 'is not', null)
      .orderBy('due_at')
      .executeTakeFirst();
    return row?.due_at ?? undefined;
  }

  #lockDue(unit: Unit, limit: number): Promise<ShipmentsTable[]> {
    return (
      unit.tx
        .selectFrom('shipments')
        .selectAll()
        .where('due_at', '<=', this.#clock())
        .orderBy('due_at')
        .limit(limit)
        // Rows that another process has locked are being advanced there.
        .$if(this.#database.dialect === 'postgres', (query) => query.forUpdate().skipLocked())
        .execute()
    );
  }

  async #update(unit: Unit, orderId: string, changes: Partial<ShipmentsTable>): Promise<void> {
    await unit.tx.updateTable('shipments').set(changes).where('order_id', '=', orderId).execute();
  }
}

function shipmentOf({ status, due_at }: ShipmentsTable): Shipment {
  return { status, dueAt: due_at };
}

function messageOf(row: ShipmentsTable, timeMs: number): Envelope {
  const { order_id: orderId, shipment_id: shipmentId, status, sequence } = row;
  const attributes = {
    id: `shipping/${orderId}@${sequence}`,
    key: orderId,
    sequence,
    timeMs,
    causationid: row.cause_id,
    traceparent: row.traceparent ?? undefined,
  };
  if (status === 'dispatched') {
    const data = { orderId, shipmentId, ...parcelOf(shipmentId) };
    return createMessage(ShipmentDispatched, { ...attributes, data });
  }
  const definition = status === 'preparing' ? ShipmentPrepared : ShipmentDelivered;
  return createMessage(definition, { ...attributes, data: { orderId, shipmentId } });
}
