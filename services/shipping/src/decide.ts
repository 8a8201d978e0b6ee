import { createHash } from 'node:crypto';

export type ShipmentStatus = 'preparing' | 'dispatched' | 'delivered' | 'stopped';

/** How long each stage takes. */
export interface ShippingTimes {
  readonly prepareMs: number;
  readonly deliverMs: number;
}

export interface Shipment {
  readonly status: ShipmentStatus;
  /** When the next stage is due, epoch ms; null when nothing follows. */
  readonly dueAt: number | null;
}

/** The order is confirmed: pack it. */
export function prepareShipment(nowMs: number, times: ShippingTimes): Shipment {
  return { status: 'preparing', dueAt: nowMs + times.prepareMs };
}

/** The stage that is due now has passed; undefined when none is. */
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

/** The order was cancelled: what is still in the house stays there. Undefined when it is too late for that. */
export function stopShipment(shipment: Shipment): Shipment | undefined {
  return shipment.status === 'preparing' ? { status: 'stopped', dueAt: null } : undefined;
}

/** Derived from the order's id, so that a repeated message names the same shipment. */
export function shipmentIdOf(orderId: string): string {
  return `ship-${digest(orderId).slice(0, 16)}`;
}

const carriers = ['Gull Post', 'Harbour Freight', 'Tern Express'] as const;

export function parcelOf(shipmentId: string): { carrier: string; trackingCode: string } {
  const hash = digest(shipmentId);
  const carrier = carriers[Number.parseInt(hash.slice(0, 4), 16) % carriers.length]!;
  return { carrier, trackingCode: `${carrier.slice(0, 2).toUpperCase()}${hash.slice(4, 14).toUpperCase()}` };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
