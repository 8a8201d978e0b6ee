import { createHash } from 'node:crypto';

export type ShipmentStatus = 'preparing' | 'dispatched' | 'delivered' | 'stopped';

/** Durations of the stages, in milliseconds. */
export interface ShippingTimes {
  readonly prepareMs: number;
  readonly deliverMs: number;
}

export interface Shipment {
  readonly status: ShipmentStatus;
  /** Time the next stage is due, in epoch milliseconds; null after the last stage. */
  readonly dueAt: number | null;
}

/** Returns the shipment of an order confirmed now. Pure, like all decisions here. */
export function prepareShipment(nowMs: number, times: ShippingTimes): Shipment {
  return { status: 'preparing', dueAt: nowMs + times.prepareMs };
}

/** Returns the shipment in its next stage, or undefined when none is due. */
export function advanceShipment(
  shipment: Shipment,
  nowMs: number,
  times: ShippingTimes,
): Shipment | undefined {
  if (shipment.dueAt === null || shipment.dueAt > nowMs) return undefined;
  switch (shipment.status) {
    case 'preparing':
      return { status: 'dispatched', dueAt: nowMs + times.deliverMs };
    case 'dispatched':
      return { status: 'delivered', dueAt: null };
    case 'delivered':
    case 'stopped':
      return undefined;
  }
}

/** Returns the shipment of a cancelled order, or undefined when it is dispatched already. */
export function stopShipment(shipment: Shipment): Shipment | undefined {
  return shipment.status === 'preparing' ? { status: 'stopped', dueAt: null } : undefined;
}

/** Returns the id of an order's shipment. It is derived, so that a repeated message names the same shipment. */
export function shipmentIdOf(orderId: string): string {
  return `ship-${digest(orderId).slice(0, 16)}`;
}

const carriers = ['Gull Post', 'Harbour Freight', 'Tern Express'] as const;

/** Returns the simulated carrier and tracking code of a shipment, derived from its id. */
export function parcelOf(shipmentId: string): { carrier: string; trackingCode: string } {
  const hash = digest(shipmentId);
  const carrier = carriers[Number.parseInt(hash.slice(0, 4), 16) % carriers.length]!;
  return { carrier, trackingCode: `${carrier.slice(0, 2).toUpperCase()}${hash.slice(4, 14).toUpperCase()}` };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
