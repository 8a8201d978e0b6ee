/** Promise: the subjects of real identity providers are viewers like any other, from the token to the log and back. */
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { openRawWebSocket } from '../harness/raw-websocket.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

const ORDERS = 'subscription { orders { id status } }';

interface Next {
  readonly extensions: { readonly key: string; readonly cursor: string };
}

describe('the subject of a token', () => {
  let platform: EmbeddedPlatform;
  let productId: string;
  beforeAll(async () => {
    platform = await startEmbedded();
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  });
  afterAll(() => platform?.[Symbol.asyncDispose]());

  it.each([
    'auth0|507f1f77bcf86cd799439011',
    'google-oauth2|113345678901234567890',
    'samlp|corp|Jane Doe',
    'f:0fae6a9e-1f9c-4b8e-a7f3-2f1f6d7b9c3e:jane',
    'jane.doe+shop@example.com',
    '_wl3vJ-AAAAAIkzqFVrSaSaFHy782bbtaQ',
    'c'.repeat(255),
  ])('may be %s: orders, live changes, cursors and revocation', async (sub) => {
    const token = await platform.token(sub, 'customer');
    const subscribe = async (cursor?: string) => {
      const connection = await openRawWebSocket(platform.webUrl, { token });
      const payload = { query: ORDERS, ...(cursor !== undefined && { extensions: { cursor } }) };
      connection.send({ type: 'subscribe', id: 'a', payload });
      await until(() => connection.of('ping').length > 0, { what: 'the subscription' });
      const nexts = () => connection.of('next').map(({ payload: next }) => next as unknown as Next);
      return { connection, nexts };
    };
    const first = await subscribe();
    const lines = [{ productId, quantity: 1 }];
    const { orderId } = await placeOrder(platform.webUrl, token, lines);
    const [next] = await until(() => first.nexts().length > 0 && first.nexts(), { what: 'the change' });
    expect(next!.extensions.key).toBe(orderId);
    const again = await subscribe(next!.extensions.cursor);
    const { orderId: second } = await placeOrder(platform.webUrl, token, lines);
    await until(() => again.nexts().some(({ extensions }) => extensions.key === second), {
      what: 'the change after the cursor',
    });
    const listed = await fetch(`${platform.webUrl}/graphql/web`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ orders(first: 9) { edges { node { id customerId } } } }' }),
    });
    const { data } = (await listed.json()) as {
      data: { orders: { edges: { node: { id: string; customerId: string } }[] } };
    };
    expect(data.orders.edges.map(({ node }) => node.id).toSorted()).toEqual([orderId, second].toSorted());
    expect(new Set(data.orders.edges.map(({ node }) => node.customerId))).toEqual(new Set([sub]));

    const revoked = await fetch(`${platform.webUrl}/api/access/revocations`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${await platform.token('root', 'operator')}`,
      },
      body: JSON.stringify({ subject: sub }),
    });
    expect(revoked.status).toBe(201);
    expect(await again.connection.end()).toBe(4401);
  });
});
