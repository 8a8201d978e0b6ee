import type {
  OrderLineResolvers,
  OrderResolvers,
  PaymentResolvers,
  ProductResolvers,
  ShipmentResolvers,
  ViewerResolvers,
} from '../generated/resolver-types.ts';

export const order: OrderResolvers = {
  id: (parent) => parent.orderId,
  note: (parent) => parent.note ?? null,
  rejection: (parent) => parent.reason ?? null,
  payment: (parent) => parent.payment ?? null,
  shipment: (parent) => parent.shipment ?? null,
  steps: (parent) => parent.steps ?? [{ status: 'PLACED', at: parent.placedAt }],
};

export const orderLine: OrderLineResolvers = {
  product: (parent, _args, { loaders }) => loaders.products.load(parent.productId),
  unitPrice: (parent) => ({ amountCents: parent.unitPriceCents, currency: 'EUR' }),
};

export const product: ProductResolvers = {
  id: (parent) => parent.productId,
  stock: (parent) => parent,
};

export const payment: PaymentResolvers = {
  reference: (parent) => parent.reference ?? null,
};

export const shipment: ShipmentResolvers = {
  id: (parent) => parent.shipmentId,
  carrier: (parent) => parent.carrier ?? null,
  trackingCode: (parent) => parent.trackingCode ?? null,
};

export const viewer: ViewerResolvers = {
  role: (parent) => parent.role.toUpperCase() as 'CUSTOMER' | 'OPERATOR' | 'PARTNER',
};
