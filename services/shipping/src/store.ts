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

export interface ShipmentStore {
  prepare(unit: Unit, orderId: string, cause: Cause): Promise<void>;
  stop(unit: Unit, orderId: string): Promise<void>;
  /** Takes at most `limit` due shipments one stage further; resolves to how many were due. */
  advanceDue(limit: number): Promise<number>;
  nextDue(): Promise<number | undefined>;
}

export function createShipmentStore(options: {
  database: Database<ShippingTables>;
  outbox: Outbox;
  clock: () => number;
  times: ShippingTimes;
  /** Called after a commit that set a new due time. */
  onDue: () => void;
}): ShipmentStore {
  const { database, outbox, clock, times, onDue } = options;

  async function prepare(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    const { status, dueAt } = prepareShipment(clock(), times);
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
    await outbox.add(unit, topics.shipmentEvents, [messageOf(row, clock())]);
    unit.afterCommit(onDue);
  }

  async function stop(unit: Unit, orderId: string): Promise<void> {
    const row = await unit.tx
      .selectFrom('shipments')
      .selectAll()
      .where('order_id', '=', orderId)
      .forUpdate()
      .executeTakeFirst();
    const stopped = row && stopShipment(shipmentOf(row));
    if (!stopped) return;
    await unit.tx
      .updateTable('shipments')
      .set({ status: stopped.status, due_at: stopped.dueAt })
      .where('order_id', '=', orderId)
      .execute();
  }

  function advanceDue(limit: number): Promise<number> {
    return database.transaction(async (unit) => {
      const rows = await unit.tx
        .selectFrom('shipments')
        .selectAll()
        .where('due_at', '<=', clock())
        .orderBy('due_at')
        .limit(limit)
        // Another process that is advancing them holds their locks: it will see to them.
        .$if(database.dialect === 'postgres', (query) => query.forUpdate().skipLocked())
        .execute();
      const messages: Envelope[] = [];
      for (const row of rows) {
        const next = advanceShipment(shipmentOf(row), clock(), times);
        if (!next) continue;
        const advanced = { ...row, status: next.status, due_at: next.dueAt, sequence: row.sequence + 1 };
        await unit.tx
          .updateTable('shipments')
          .set({ status: advanced.status, due_at: advanced.due_at, sequence: advanced.sequence })
          .where('order_id', '=', row.order_id)
          .execute();
        messages.push(messageOf(advanced, clock()));
      }
      if (messages.length > 0) await outbox.add(unit, topics.shipmentEvents, messages);
      return rows.length;
    });
  }

  async function nextDue(): Promise<number | undefined> {
    const row = await database.query
      .selectFrom('shipments')
      .select('due_at')
      .where('due_at', 'is not', null)
      .orderBy('due_at')
      .executeTakeFirst();
    return row?.due_at ?? undefined;
  }

  return { prepare, stop, advanceDue, nextDue };
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
