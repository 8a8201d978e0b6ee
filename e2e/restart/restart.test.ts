/** Promise: an order that was accepted survives kill -9 and is delivered. */
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

describe('the embedded default', () => {
  let platform: EmbeddedPlatform;

  beforeAll(async () => {
    platform = await startEmbedded();
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  it('has every order accepted before kill -9 and delivers each of them', async () => {
    const [productId] = await waitForCatalogue(platform.webUrl);
    const customer = await platform.token('customer-1', 'customer');
    const placed: string[] = [];
    for (let count = 0; count < 25; count++) {
      placed.push(
        (await placeOrder(platform.webUrl, customer, [{ productId: productId!, quantity: 1 }])).orderId,
      );
    }
    await platform.killAndRestart();

    const statuses = async (): Promise<Map<string, string>> => {
      const answer = await graphql<{ orders: { edges: { node: { id: string; status: string } }[] } }>(
        `${platform.webUrl}/graphql/web`,
        customer,
        { query: '{ orders(first: 100) { edges { node { id status } } } }' },
      );
      return new Map(answer.data.orders.edges.map(({ node }) => [node.id, node.status]));
    };
    await until(async () => (await statuses()).size === placed.length, {
      what: 'all orders in the view',
    });
    expect([...(await statuses()).keys()].sort()).toEqual([...placed].sort());
    await until(async () => [...(await statuses()).values()].every((status) => status === 'DELIVERED'), {
      what: 'every order to be delivered',
      timeoutMs: 20_000,
    });
  });
});
