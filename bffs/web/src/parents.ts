import type { OrderDocument } from '@order-platform/contracts';

/** Parents of nested types: parts of an order document. */
export type PaymentParent = NonNullable<OrderDocument['payment']>;
export type ShipmentParent = NonNullable<OrderDocument['shipment']>;
