/** Promise: every channel shows the same states of an order, and no read is older than its token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { deployments, type RunningPlatform } from '../harness/running-platform.ts';
import { AllChannels } from './all-channels.ts';

for (const { name, start, skip } of deployments()) {
  describe.skipIf(skip)(`an order on ${name}`, () => {
    let platform: RunningPlatform;
    let products: string[];
    let operator: string;
    let customer: string;

    beforeAll(async () => {
      platform = await start();
      operator = await platform.token('operator-1', 'operator');
      customer = await platform.token('customer-1', 'customer');
      products = await waitForCatalogue(platform.webUrl);
    }, 120_000);

    afterAll(async () => {
      await platform?.[Symbol.asyncDispose]();
    });

    const place = (token: string, productId: string, quantity = 1) =>
      placeOrder(platform.webUrl, token, [{ productId, quantity }]);

    it('appears on WebSocket, SSE and webhook with the same states and the same ids', async () => {
      await using channels = await AllChannels.open(platform, operator);
      await channels.started(async () => (await place(customer, products[1]!)).orderId);

      const { orderId } = await place(customer, products[0]!, 2);
      const { webSocket, sse, webhook } = await channels.statesOfDelivered(orderId);
      expect(webSocket.map(({ version }) => version)).toEqual(webSocket.map((_, index) => index + 1));
      expect(webSocket[0]!.status).toBe('PLACED');
      expect(sse.slice(0, webSocket.length)).toEqual(webSocket);
      expect(webhook.slice(0, webSocket.length)).toEqual(webSocket);
    });

    it('is never read older than its token: 200 orders, no exception', async () => {
      const tokens = await Promise.all(
        ['customer-2', 'customer-3', 'customer-4', 'customer-5'].map((sub) =>
          platform.token(sub, 'customer'),
        ),
      );
      const answers = await Promise.all(
        tokens.map(async (token) => {
          const found: unknown[] = [];
          for (let count = 0; count < 50; count++) {
            const placed = await place(token, products[count % products.length]!);
            found.push(await readWithToken(placed.orderId, placed.token));
          }
          return found;
        }),
      );
      expect(answers.flat()).toEqual(Array.from({ length: 200 }, () => 'found'));
    }, 120_000);

    /** Reads as another viewer, whose own writes the gateway does not remember: only the token makes the view wait. */
    async function readWithToken(orderId: string, token: string): Promise<unknown> {
      const query = `query ($id: ID!, $token: ConsistencyToken) {
        order(id: $id, notOlderThan: $token, strict: true) { id version status customerId }
      }`;
      const answer = await graphql<{ order: { id: string } | null }>(
        `${platform.webUrl}/graphql/web`,
        operator,
        { query, variables: { id: orderId, token } },
      );
      return answer.data?.order?.id === orderId ? 'found' : answer;
    }

    it('is read by its own customer at once, without a token, through the web BFF', async () => {
      for (let count = 0; count < 20; count++) {
        const placed = await place(customer, products[3]!);
        const answer = await graphql<{ orders: { edges: { node: { id: string } }[] } }>(
          `${platform.webUrl}/graphql/web`,
          customer,
          { query: '{ orders(first: 5) { edges { node { id } } } }' },
        );
        expect(answer.data.orders.edges.map(({ node }) => node.id)).toContain(placed.orderId);
      }
    });
  });
}
