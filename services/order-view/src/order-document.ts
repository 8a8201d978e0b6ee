import { orderStatus, type OrderDocument, type OrderStatus } from '@order-platform/contracts';
import type { OrderParts } from './order-parts.ts';

/**
 * Returns the document of the parts, or undefined before OrderPlaced has arrived: other streams may be ahead of it, and
 * a document without a customer could not be authorised for any viewer.
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
    ...(parts.steps ? { steps: stepsOf(parts.steps) } : {}),
    placedAt: placed.placedAt,
    updatedAt,
  };
}

function stepsOf(steps: NonNullable<OrderParts['steps']>): NonNullable<OrderDocument['steps']> {
  return orderStatus.options.flatMap((status) => {
    const at = steps[status];
    return at === undefined ? [] : [{ status, at }];
  });
}

/**
 * Returns the most advanced status that any stream reports, so that a lagging stream never moves it back. Only the
 * orders stream rejects or cancels: after a rejected reservation the status stays PLACED until OrderRejected arrives.
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
