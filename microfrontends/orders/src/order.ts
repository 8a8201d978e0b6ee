export interface Money {
  readonly amountCents: number;
  readonly currency: string;
}

export interface Rejection {
  readonly code: string;
  readonly message: string;
}

export type OrderStatus =
  | 'PLACED'
  | 'RESERVED'
  | 'CONFIRMED'
  | 'PREPARING'
  | 'DISPATCHED'
  | 'DELIVERED'
  | 'REJECTED'
  | 'CANCELLED';

export interface OrderLine {
  readonly productId: string;
  readonly quantity: number;
  readonly unitPrice: Money;
}

/** A status and the time at which the order reached it. */
export interface Step {
  readonly status: OrderStatus;
  readonly at: string;
}

/** An order in the schema of the web BFF. */
export interface Order {
  readonly id: string;
  readonly version: number;
  readonly status: OrderStatus;
  readonly customerId: string;
  readonly lines: readonly OrderLine[];
  readonly total: Money;
  readonly note: string | null;
  readonly rejection: Rejection | null;
  readonly payment: { readonly status: string; readonly reference: string | null } | null;
  readonly shipment: {
    readonly status: string;
    readonly carrier: string | null;
    readonly trackingCode: string | null;
  } | null;
  /** Statuses that the order has reached, in their sequence. */
  readonly steps: readonly Step[];
  readonly placedAt: string;
  readonly updatedAt: string;
}

/** Statuses of a successful order, in sequence. */
export const happyPath = ['PLACED', 'RESERVED', 'CONFIRMED', 'PREPARING', 'DISPATCHED', 'DELIVERED'] as const;

export const statusLabels: Readonly<Record<OrderStatus, string>> = {
  PLACED: 'Placed',
  RESERVED: 'Reserved',
  CONFIRMED: 'Confirmed',
  PREPARING: 'Preparing',
  DISPATCHED: 'Dispatched',
  DELIVERED: 'Delivered',
  REJECTED: 'Rejected',
  CANCELLED: 'Cancelled',
};

/** True for the final statuses. */
export function isFinished({ status }: Pick<Order, 'status'>): boolean {
  return status === 'DELIVERED' || status === 'REJECTED' || status === 'CANCELLED';
}

/** True until the order is dispatched or finished. */
export function isCancellable(order: Pick<Order, 'status'>): boolean {
  return !isFinished(order) && order.status !== 'DISPATCHED';
}
