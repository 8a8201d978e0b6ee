import type { OrderDocument, OrderStatus } from '@order-platform/contracts';
import type { OrderParts } from './order-parts.ts';

/**
 * The document that the parts make, or undefined while the order itself has not arrived: another stream may be
 * ahead of it, and a document without a customer could be shown to nobody.
 */
export function orderDocumentOf(
  orderId: string,
  version: number,
  parts: OrderParts,
): OrderDocument | undefined {
  const { placed, versionVector, reason, payment, shipment, updatedAt } = parts;
  if (!placed) return undefined;
  return {
    orderId,
    version,
    versionVector,
    customerId: placed.customerId,
    status: statusOf(parts),
    lines: placed.lines,
    total: placed.total,
    ...(placed.note ? { note: placed.note } : {}),
    ...(reason ? { reason } : {}),
    ...(payment ? { payment } : {}),
    ...(shipment ? { shipment } : {}),
    placedAt: placed.placedAt,
    updatedAt,
  };
}

/**
 * The furthest that any stream has reported: a stream that lags must not pull the status back. Only the order
 * itself can end it: it stays PLACED on a refused reservation until it has rejected itself.
 */
function statusOf({ orders, inventory, shipment }: OrderParts): OrderStatus {
  if (orders === 'cancelled') return 'CANCELLED';
  if (orders === 'rejected') return 'REJECTED';
  if (orders === 'completed' || shipment?.status === 'DELIVERED') return 'DELIVERED';
  if (orders === 'dispatched' || shipment?.status === 'DISPATCHED') return 'DISPATCHED';
  if (shipment) return 'PREPARING';
  if (orders === 'confirmed') return 'CONFIRMED';
  return inventory === 'reserved' ? 'RESERVED' : 'PLACED';
}
