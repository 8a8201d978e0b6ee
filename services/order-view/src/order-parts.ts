import type { OrderDocument, OrderStatus } from '@order-platform/contracts';

/** A source stream of the join, as named in the version vector. */
export type Source = keyof OrderDocument['versionVector'];

/**
 * State of one order in the join, with one part per source stream. Each stream writes its own part only, and the
 * sequence orders the messages within a stream. The streams may therefore interleave in any way and lead to the same
 * parts.
 */
export interface OrderParts {
  readonly versionVector: OrderDocument['versionVector'];
  readonly placed?: Pick<OrderDocument, 'customerId' | 'lines' | 'total' | 'note'> & {
    readonly placedAt: string;
  };
  readonly orders?: 'placed' | 'confirmed' | 'dispatched' | 'completed' | 'rejected' | 'cancelled';
  readonly reason?: OrderDocument['reason'];
  readonly inventory?: 'reserved' | 'rejected' | 'released';
  readonly payment?: OrderDocument['payment'];
  readonly shipment?: OrderDocument['shipment'];
  /** Time of the first message that shows each status. Absent in parts from before this field. */
  readonly steps?: Readonly<Partial<Record<OrderStatus, string>>>;
  readonly updatedAt: string;
}

export const noParts: OrderParts = {
  versionVector: { orders: 0, inventory: 0, payments: 0, shipping: 0 },
  updatedAt: '',
};
