import { createMessage, type DataOf, type MessageDefinition } from '@tidegate/core';
import {
  StockRejected,
  StockReleased,
  StockReserved,
  topics,
  type OrderPlaced,
} from '@order-platform/contracts';
import type { UnitOfWork } from '@tidegate/database';
import type { Outbox } from '@tidegate/messaging';
import type { Cause } from '@tidegate/service';
import { decideReservation, quantitiesByProduct } from './decide-reservation.ts';
import { release as releaseStep, reserve as reserveStep, sell as sellStep } from './stock-level.ts';
import type { InventoryTables, ReservationsTable } from './tables.ts';
import type { Warehouse } from './warehouse.ts';

type Unit = UnitOfWork<InventoryTables>;

export interface Reservations {
  /** Holds stock for the order, completely or not at all, and says which. Nothing when it did so before. */
  reserve(unit: Unit, order: DataOf<typeof OrderPlaced>, cause: Cause): Promise<void>;
  /** Gives back what is held for the order, if anything is. */
  release(unit: Unit, orderId: string, cause: Cause): Promise<void>;
  /** The goods have left: what was held is sold. */
  sell(unit: Unit, orderId: string, cause: Cause): Promise<void>;
}

export function createReservations(options: {
  warehouse: Warehouse;
  outbox: Outbox;
  clock: () => number;
}): Reservations {
  const { warehouse, outbox, clock } = options;

  async function reserve(unit: Unit, order: DataOf<typeof OrderPlaced>, cause: Cause): Promise<void> {
    const { orderId, customerId, lines, total } = order;
    await warehouse.lock(unit);
    if (await find(unit, orderId)) return;
    const wanted = quantitiesByProduct(lines);
    const decision = decideReservation(wanted, await warehouse.find(unit, [...wanted.keys()]));
    await unit.tx
      .insertInto('reservations')
      .values({
        order_id: orderId,
        status: decision.status,
        quantities: JSON.stringify([...wanted]),
        sequence: 1,
      })
      .execute();
    if (decision.status === 'rejected') {
      return say(unit, StockRejected, { orderId, reason: decision.reason }, 1, cause);
    }
    await warehouse.change(unit, wanted, reserveStep, cause);
    await say(unit, StockReserved, { orderId, customerId, lines, total }, 1, cause);
  }

  async function release(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    const reservation = await end(unit, orderId, 'released');
    if (!reservation) return;
    await warehouse.change(unit, held(reservation), releaseStep, cause);
    await say(unit, StockReleased, { orderId }, reservation.sequence + 1, cause);
  }

  async function sell(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    const reservation = await end(unit, orderId, 'sold');
    if (reservation) await warehouse.change(unit, held(reservation), sellStep, cause);
  }

  /** Ends a standing reservation; undefined when none stands: rejected, or ended before. */
  async function end(
    unit: Unit,
    orderId: string,
    status: 'released' | 'sold',
  ): Promise<ReservationsTable | undefined> {
    await warehouse.lock(unit);
    const reservation = await find(unit, orderId);
    if (reservation?.status !== 'reserved') return undefined;
    const sequence = reservation.sequence + (status === 'released' ? 1 : 0);
    await unit.tx
      .updateTable('reservations')
      .set({ status, sequence })
      .where('order_id', '=', orderId)
      .execute();
    return reservation;
  }

  function find(unit: Unit, orderId: string): Promise<ReservationsTable | undefined> {
    return unit.tx.selectFrom('reservations').selectAll().where('order_id', '=', orderId).executeTakeFirst();
  }

  async function say<D extends MessageDefinition>(
    unit: Unit,
    definition: D,
    data: DataOf<D> & { orderId: string },
    sequence: number,
    cause: Cause,
  ): Promise<void> {
    const message = createMessage(definition, {
      id: `inventory/${data.orderId}@${sequence}`,
      key: data.orderId,
      sequence,
      timeMs: clock(),
      data,
      causationid: cause.id,
      traceparent: cause.traceparent,
    });
    await outbox.add(unit, topics.reservationEvents, [message]);
  }

  return { reserve, release, sell };
}

function held(reservation: ReservationsTable): ReadonlyMap<string, number> {
  return new Map(JSON.parse(reservation.quantities) as [string, number][]);
}
