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
import { decideReservation, quantitiesByProduct, type ReservationDecision } from './decide.ts';
import { release, reserve, sell } from './evolve.ts';
import type { InventoryTables, ReservationsTable } from './tables.ts';
import type { Quantities, Warehouse } from './warehouse.ts';

type Unit = UnitOfWork<InventoryTables>;

/** One reservation per order. Each change locks the warehouse, updates the stock levels and publishes its event. */
export class ReservationStore {
  readonly #warehouse: Warehouse;
  readonly #outbox: Outbox;
  readonly #clock: () => number;

  constructor(options: {
    readonly warehouse: Warehouse;
    readonly outbox: Outbox;
    readonly clock: () => number;
  }) {
    this.#warehouse = options.warehouse;
    this.#outbox = options.outbox;
    this.#clock = options.clock;
  }

  /**
   * Reserves stock for every line of the order, or for none, and publishes StockReserved or StockRejected.
   * Does nothing when the order has a reservation already.
   */
  async reserve(unit: Unit, order: DataOf<typeof OrderPlaced>, cause: Cause): Promise<void> {
    const { orderId, customerId, lines, total } = order;
    await this.#warehouse.lock(unit);
    if (await this.#find(unit, orderId)) return;
    const wanted = quantitiesByProduct(lines);
    const decision = decideReservation(wanted, await this.#warehouse.find(unit, [...wanted.keys()]));
    await this.#insert(unit, orderId, decision.status, wanted);
    if (decision.status === 'rejected') {
      return this.#publish(unit, StockRejected, { orderId, reason: decision.reason }, 1, cause);
    }
    await this.#warehouse.change(unit, wanted, reserve, cause);
    await this.#publish(unit, StockReserved, { orderId, customerId, lines, total }, 1, cause);
  }

  /** Returns the order's reserved stock to the shelf and publishes StockReleased. Idempotent. */
  async release(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    const reservation = await this.#end(unit, orderId, 'released');
    if (!reservation) return;
    await this.#warehouse.change(unit, quantitiesOf(reservation), release, cause);
    await this.#publish(unit, StockReleased, { orderId }, reservation.sequence + 1, cause);
  }

  /** Turns the order's reserved stock into sold stock. Idempotent; publishes stock levels only. */
  async sell(unit: Unit, orderId: string, cause: Cause): Promise<void> {
    const reservation = await this.#end(unit, orderId, 'sold');
    if (reservation) await this.#warehouse.change(unit, quantitiesOf(reservation), sell, cause);
  }

  /** Ends an active reservation and returns it; undefined when the order has none. */
  async #end(
    unit: Unit,
    orderId: string,
    status: 'released' | 'sold',
  ): Promise<ReservationsTable | undefined> {
    await this.#warehouse.lock(unit);
    const reservation = await this.#find(unit, orderId);
    if (reservation?.status !== 'reserved') return undefined;
    const sequence = reservation.sequence + (status === 'released' ? 1 : 0);
    await unit.tx
      .updateTable('reservations')
      .set({ status, sequence })
      .where('order_id', '=', orderId)
      .execute();
    return reservation;
  }

  #find(unit: Unit, orderId: string): Promise<ReservationsTable | undefined> {
    return unit.tx.selectFrom('reservations').selectAll().where('order_id', '=', orderId).executeTakeFirst();
  }

  async #insert(
    unit: Unit,
    orderId: string,
    status: ReservationDecision['status'],
    wanted: Quantities,
  ): Promise<void> {
    const quantities = JSON.stringify([...wanted]);
    await unit.tx
      .insertInto('reservations')
      .values({ order_id: orderId, status, quantities, sequence: 1 })
      .execute();
  }

  async #publish<D extends MessageDefinition>(
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
      timeMs: this.#clock(),
      data,
      causationid: cause.id,
      traceparent: cause.traceparent,
    });
    await this.#outbox.add(unit, topics.reservationEvents, [message]);
  }
}

function quantitiesOf(reservation: ReservationsTable): Quantities {
  return new Map(JSON.parse(reservation.quantities) as [string, number][]);
}
