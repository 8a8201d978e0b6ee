import type { Money, OrderDocument, OrderStatus } from '@order-platform/contracts';

/** Formats an amount, e.g. `€12.50`. */
export function price(money: Money): string {
  return `€${(money.amountCents / 100).toFixed(2)}`;
}

const STEPS: Record<OrderStatus, number> = {
  PLACED: 0,
  RESERVED: 1,
  CONFIRMED: 2,
  PREPARING: 3,
  DISPATCHED: 4,
  DELIVERED: 5,
  REJECTED: 0,
  CANCELLED: 0,
};

/** Returns the number of finished steps, for the progress bar. */
export function step(status: OrderStatus): number {
  return STEPS[status];
}

/** Returns the status as a word, e.g. `Placed`. */
export function state(status: OrderStatus): string {
  return status.charAt(0) + status.slice(1).toLowerCase();
}

/** Returns the rejection's or cancellation's message, else the tracking code, else null. */
export function hint(order: OrderDocument): string | null {
  if (order.reason) return order.reason.message;
  const { shipment } = order;
  if (shipment?.trackingCode) return `${shipment.carrier} ${shipment.trackingCode}`;
  return null;
}
