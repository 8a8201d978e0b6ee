import {
  orderEvents,
  paymentEvents,
  reservationEvents,
  shipmentEvents,
  type OrderDocument,
} from '@order-platform/contracts';
import { type Message } from '@tidegate/core';

/** Everything that is joined into an order's document. */
export const joinedEvents = [
  ...orderEvents,
  ...reservationEvents,
  ...paymentEvents,
  ...shipmentEvents,
] as const;
export type JoinedMessage = Message<(typeof joinedEvents)[number]>;

/** A source stream of the join, as the version vector names it. */
export type Source = keyof OrderDocument['versionVector'];

/**
 * What is known of one order, one part per source stream. Each stream writes its own part only, and within a
 * stream the sequence decides, so the streams may arrive interleaved in any way and lead to the same parts.
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
  readonly updatedAt: string;
}

export const noParts: OrderParts = {
  versionVector: { orders: 0, inventory: 0, payments: 0, shipping: 0 },
  updatedAt: '',
};
