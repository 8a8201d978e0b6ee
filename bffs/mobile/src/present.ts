import type { Money, OrderDocument, OrderStatus } from '@order-platform/contracts';

/** Texts a phone shows as they are, so that it need not compute or translate anything. */
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

export function step(status: OrderStatus): number {
  return STEPS[status];
}

export function state(status: OrderStatus): string {
  return status.charAt(0) + status.slice(1).toLowerCase();
}

/** The one thing worth saying about an order in its state, or null. */
export function hint(order: OrderDocument): string | null {
  if (order.reason) return order.reason.message;
  const { shipment } = order;
  if (shipment?.trackingCode) return `${shipment.carrier} ${shipment.trackingCode}`;
  return null;
}
