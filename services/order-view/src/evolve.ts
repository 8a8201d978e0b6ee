import type { OrderStatus } from '@order-platform/contracts';
import type { ConsumedMessage } from './messages.ts';
import { noParts, type OrderParts, type Source } from './order-parts.ts';

/** Status that a message shows, whatever other streams have reported. */
const stepOf: Readonly<Partial<Record<ConsumedMessage['name'], OrderStatus>>> = {
  OrderPlaced: 'PLACED',
  StockReserved: 'RESERVED',
  OrderConfirmed: 'CONFIRMED',
  ShipmentPrepared: 'PREPARING',
  OrderDispatched: 'DISPATCHED',
  ShipmentDispatched: 'DISPATCHED',
  OrderCompleted: 'DELIVERED',
  ShipmentDelivered: 'DELIVERED',
  OrderRejected: 'REJECTED',
  OrderCancelled: 'CANCELLED',
};

/**
 * Returns the parts after the message. Pure. A message that the version vector already contains returns the same
 * object, so the caller sees by identity that there is nothing to store or publish.
 */
export function evolve(parts: OrderParts = noParts, message: ConsumedMessage): OrderParts {
  const source = sourceOf(message);
  if (message.sequence <= parts.versionVector[source]) return parts;
  return {
    ...parts,
    ...change(parts, message),
    ...nextSteps(parts, message),
    versionVector: { ...parts.versionVector, [source]: message.sequence },
    updatedAt: message.time > parts.updatedAt ? message.time : parts.updatedAt,
  };
}

function sourceOf(message: ConsumedMessage): Source {
  return message.source.slice('/tidegate/'.length) as Source;
}

function nextSteps({ steps }: OrderParts, { name, time }: ConsumedMessage): Pick<OrderParts, 'steps'> {
  const status = stepOf[name];
  const known = status && steps?.[status];
  // Two streams report some statuses; the earlier message counts, in whatever order they arrive.
  if (!status || (known !== undefined && known <= time)) return {};
  return { steps: { ...steps, [status]: time } };
}

function change(parts: OrderParts, message: ConsumedMessage): Partial<OrderParts> {
  switch (message.name) {
    case 'OrderPlaced': {
      const { customerId, lines, total, note } = message.data;
      const placed = { customerId, lines, total, placedAt: message.time, ...(note ? { note } : {}) };
      return { placed, orders: 'placed' };
    }
    case 'OrderConfirmed':
      return { orders: 'confirmed' };
    case 'OrderDispatched':
      return { orders: 'dispatched' };
    case 'OrderCompleted':
      return { orders: 'completed' };
    case 'OrderRejected':
      return { orders: 'rejected', reason: message.data.reason };
    case 'OrderCancelled':
      return {
        orders: 'cancelled',
        reason: { code: 'CANCELLED', message: message.data.reason || 'The order was cancelled.' },
      };
    case 'StockReserved':
      return { inventory: 'reserved' };
    case 'StockRejected':
      return { inventory: 'rejected' };
    case 'StockReleased':
      return { inventory: 'released' };
    case 'PaymentAuthorized':
      return { payment: { status: 'AUTHORIZED', reference: message.data.providerReference } };
    case 'PaymentDeclined':
      return { payment: { status: 'DECLINED' } };
    case 'PaymentRefunded':
      return { payment: { status: 'REFUNDED', reference: message.data.providerReference } };
    case 'ShipmentPrepared':
      return { shipment: { shipmentId: message.data.shipmentId, status: 'PREPARED' } };
    case 'ShipmentDispatched': {
      const { shipmentId, carrier, trackingCode } = message.data;
      return { shipment: { shipmentId, status: 'DISPATCHED', carrier, trackingCode } };
    }
    case 'ShipmentDelivered':
      return {
        shipment: { ...parts.shipment, shipmentId: message.data.shipmentId, status: 'DELIVERED' },
      };
  }
}
