import { listOrders, listProducts, placeOrder, type OrderStatus } from '@order-platform/contracts';
import { accessOf, rights, visibleOrder } from '@order-platform/bff-shared';
import type {
  MutationResolvers,
  OfferResolvers,
  OrderCardResolvers,
  OrderScreenResolvers,
  QueryResolvers,
} from './generated/resolver-types.ts';
import { hint, price, state, step } from './present.ts';

const ACTIVE: OrderStatus[] = ['PLACED', 'RESERVED', 'CONFIRMED', 'PREPARING', 'DISPATCHED'];
const MAX_ACTIVE = 5;
const MAX_OFFERS = 6;

export const query: QueryResolvers = {
  home: async (_root, _args, { viewer, services, consistency }) => {
    const freshness = await consistency.freshness('order');
    const [orders, products] = await Promise.all([
      viewer.role === 'customer'
        ? services.call(listOrders, {
            access: accessOf(viewer, rights.mobile['Query.home']),
            statuses: ACTIVE,
            first: MAX_ACTIVE,
            ...(freshness && { freshness }),
          })
        : undefined,
      services.call(listProducts, { first: MAX_OFFERS }),
    ]);
    if (orders) consistency.recordRead(orders.satisfied);
    return { active: orders?.orders ?? [], offers: products.products };
  },

  orderScreen: (_root, { id, after }, context) => visibleOrder(context, id, { token: after }),
};

export const mutation: MutationResolvers = {
  order: async (_root, { commandId, product: productId, qty }, context) => {
    const product = await context.loaders.products.load(productId);
    if (!product) return { id: null, token: null, refused: `There is no product "${productId}".` };
    const result = await context.services.call(placeOrder, {
      commandId,
      actor: { role: 'customer', id: context.viewer.id },
      customerId: context.viewer.id,
      lines: [{ productId, quantity: qty, unitPriceCents: product.price.amountCents }],
      traceparent: context.traceparent,
    });
    if (result.status === 'rejected') return { id: null, token: null, refused: result.reason.message };
    // The viewer's next reads and snapshots wait for this write.
    await context.consistency.recordWrite(result.token);
    return { id: result.orderId, token: result.token, refused: null };
  },
};

export const orderCard: OrderCardResolvers = {
  id: (order) => order.orderId,
  state: (order) => state(order.status),
  total: (order) => price(order.total),
  v: (order) => order.version,
};

export const offer: OfferResolvers = {
  id: (product) => product.productId,
  price: (product) => price(product.price),
};

export const orderScreen: OrderScreenResolvers = {
  id: (order) => order.orderId,
  v: (order) => order.version,
  state: (order) => state(order.status),
  step: (order) => step(order.status),
  lines: async (order, _args, { loaders }) => {
    const products = await Promise.all(order.lines.map((line) => loaders.products.load(line.productId)));
    return order.lines.map((line, index) => `${line.quantity} × ${products[index]?.name ?? line.productId}`);
  },
  total: (order) => price(order.total),
  hint: (order) => hint(order),
};
