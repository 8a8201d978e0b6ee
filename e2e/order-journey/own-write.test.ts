/** Promise: a snapshot right after the viewer's own command waits for the view, on every BFF. */
import { mobileBff } from '@order-platform/bff-mobile';
import { webBff } from '@order-platform/bff-web';
import { getOrders, getProducts, placeOrder } from '@order-platform/contracts';
import { BffServer } from '@tidegate/gateway';
import { encodeConsistencyToken } from '@tidegate/core';
import { silentLogger } from '@tidegate/runtime/telemetry';
import type { ServiceClient } from '@tidegate/service/operations';
import { createMemorySharedState } from '@tidegate/shared-state';
import { expect, it } from 'vitest';

const facts = { viewer: { role: 'customer', id: 'customer-1' } as const, traceparent: undefined };
const price = { amountCents: 100, currency: 'EUR' };
const order = { orderId: 'o-1', version: 1, customerId: 'customer-1' };

/** Services whose view contains the order only for a read that demands its version. */
const laggingView = {
  call: (operation: unknown, input: { freshness?: object }) => {
    if (operation === getProducts) return Promise.resolve({ products: [{ productId: 'tea', price }] });
    if (operation === getOrders)
      return Promise.resolve({ orders: input.freshness ? [order] : [], satisfied: true });
    if (operation !== placeOrder) throw new Error('an operation that this test does not expect');
    const token = encodeConsistencyToken([{ kind: 'order', key: 'o-1', version: 1 }]);
    return Promise.resolve({ status: 'accepted', orderId: 'o-1', commandId: 'c', token });
  },
} as unknown as ServiceClient;

it.each([
  {
    bff: mobileBff,
    mutation: 'mutation { order(commandId: "c", product: "tea") { id refused } }',
    subscription: 'subscription { orderScreen(id: "o-1") { id } }',
  },
  {
    bff: webBff,
    mutation: 'mutation { placeOrder(input: { lines: [{ productId: "tea", quantity: 1 }] }) { __typename } }',
    subscription: 'subscription { order(id: "o-1") { id } }',
  },
])(
  'the snapshot of a live field demands the version of the own write on $bff.name',
  async ({ bff, mutation, subscription }) => {
    const server = new BffServer({
      bff,
      client: laggingView,
      state: createMemorySharedState({ maxEntries: 10 }),
      logger: silentLogger,
      trustedOnly: false,
    });
    expect((await server.execute({ query: mutation }, facts)).errors).toBeUndefined();
    const request = server.liveRequest({ query: subscription }, facts, undefined);
    expect(await request.snapshot?.()).toMatchObject({ key: 'o-1', version: 1 });
  },
);
