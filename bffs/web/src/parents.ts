import type { OrderDocument } from '@order-platform/contracts';

/** What resolvers of nested types start from: the parts of an order document. */
export type PaymentParent = NonNullable<OrderDocument['payment']>;
export type ShipmentParent = NonNullable<OrderDocument['shipment']>;
