import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  graphql,
  placeOrder,
  productIds,
  watchSse,
  watchWebSocket,
  webSocketClient,
  type Seen,
} from '../harness/graphql.ts';
import {
  realStackFromEnv,
  startEmbedded,
  startOnStack,
  type RunningPlatform,
} from '../harness/running-platform.ts';
import { startWebhookReceiver } from '../harness/webhook-receiver.ts';

const ORDERS = 'subscription { orders { id version status } }';
const stackEnv = realStackFromEnv();
const platforms = [
  { name: 'the embedded default', start: () => startEmbedded(), skip: false },
  { name: 'Kafka, Postgres and Redis', start: () => startOnStack(stackEnv!), skip: stackEnv === undefined },
];

interface OrderState {
  readonly id: string;
  readonly version: number;
  readonly status: string;
}

function statesOf(seen: readonly Seen[], orderId: string): (OrderState & { changeId: string | undefined })[] {
  return seen
    .filter(({ key }) => key === orderId)
    .map(({ id, data }) => ({ ...(data as unknown as { orders: OrderState }).orders, changeId: id }));
}

for (const { name, start, skip } of platforms) {
  describe.skipIf(skip)(`an order on ${name}`, () => {
    let platform: RunningPlatform;
    let products: string[];
    let operator: string;
    let customer: string;

    beforeAll(async () => {
      platform = await start();
      operator = await platform.token('operator-1', 'operator');
      customer = await platform.token('customer-1', 'customer');
      await until(async () => (await productIds(platform.webUrl)).length === 40, { what: 'the catalogue' });
      products = await productIds(platform.webUrl);
    }, 120_000);

    afterAll(async () => {
      await platform?.[Symbol.asyncDispose]();
    });

    it('is seen by WebSocket, SSE and webhook as the same states with the same ids', async () => {
      const url = `${platform.webUrl}/graphql/web`;
      const receiver = await startWebhookReceiver();
      let endpoint: { remove(): Promise<unknown> } | undefined;
      const client = webSocketClient(url, operator);
      const webSocket = watchWebSocket(client, { query: ORDERS });
      const sse = watchSse(url, operator, { query: ORDERS });
      try {
        endpoint = await registerWebhook(platform, receiver.url);
        // Each of the three begins "from now": an order placed until all have seen one shows that they have begun.
        await until(
          async () => {
            const probe = await placeOrder(platform.webUrl, customer, [
              { productId: products[1]!, quantity: 1 },
            ]);
            const saw = (): boolean =>
              webSocket.seen.some(({ key }) => key === probe.orderId) &&
              sse.seen.some(({ key }) => key === probe.orderId) &&
              receiver.deliveries.some(({ body }) => body['subject'] === probe.orderId);
            return await until(saw, { what: 'the probe', timeoutMs: 3_000 }).then(
              () => true,
              () => false,
            );
          },
          { what: 'all three to have begun', timeoutMs: 30_000 },
        );

        const { orderId } = await placeOrder(platform.webUrl, customer, [
          { productId: products[0]!, quantity: 2 },
        ]);
        const ended = (states: readonly { version: number; status: string }[]): boolean =>
          states.some(({ status }) => status === 'DELIVERED');
        await until(() => ended(statesOf(webSocket.seen, orderId)) && ended(statesOf(sse.seen, orderId)), {
          what: 'the order to be delivered',
          timeoutMs: 20_000,
        });
        const expected = statesOf(webSocket.seen, orderId);
        const posted = () =>
          receiver.deliveries
            .filter(({ body }) => body['subject'] === orderId)
            .map(({ body }) => ({
              ...(body['data'] as { orders: OrderState }).orders,
              changeId: body['id'] as string,
            }));
        await until(() => posted().length >= expected.length, {
          what: 'the webhook to be told',
          timeoutMs: 20_000,
        });

        expect(expected.map(({ version }) => version)).toEqual(expected.map((_, index) => index + 1));
        expect(expected[0]!.status).toBe('PLACED');
        expect(statesOf(sse.seen, orderId).slice(0, expected.length)).toEqual(expected);
        expect(posted().slice(0, expected.length)).toEqual(expected);
      } finally {
        webSocket.stop();
        sse.stop();
        await client.dispose();
        // A dead address would be tried for hours, by every test after this one.
        await endpoint?.remove();
        await receiver.stop();
      }
    });

    it('is never answered older than its token: 200 orders, no exception', async () => {
      const query = `query ($id: ID!, $token: ConsistencyToken) {
        order(id: $id, notOlderThan: $token, strict: true) { id version status customerId }
      }`;
      const tokens = await Promise.all(
        ['customer-2', 'customer-3', 'customer-4', 'customer-5'].map((sub) =>
          platform.token(sub, 'customer'),
        ),
      );
      const answers = await Promise.all(
        tokens.map(async (token) => {
          const found: unknown[] = [];
          for (let count = 0; count < 50; count++) {
            const lines = [{ productId: products[count % products.length]!, quantity: 1 }];
            const placed = await placeOrder(platform.webUrl, token, lines);
            const variables = { id: placed.orderId, token: placed.token };
            // Another reader than the one who wrote: only the token can tell the view what to wait for.
            const answer = await graphql<{ order: { id: string } | null }>(
              `${platform.webUrl}/graphql/web`,
              operator,
              { query, variables },
            );
            found.push(answer.data?.order?.id === placed.orderId ? 'found' : answer);
          }
          return found;
        }),
      );
      expect(answers.flat()).toEqual(Array.from({ length: 200 }, () => 'found'));
    }, 120_000);

    it('is read by its own customer at once, without a token, through the web BFF', async () => {
      for (let count = 0; count < 20; count++) {
        const placed = await placeOrder(platform.webUrl, customer, [
          { productId: products[3]!, quantity: 1 },
        ]);
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

async function registerWebhook(
  platform: RunningPlatform,
  url: string,
): Promise<{ remove(): Promise<unknown> }> {
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${await platform.token('partner-1', 'partner')}`,
  };
  const endpoints = `${platform.webUrl}/webhooks/endpoints`;
  const body = JSON.stringify({ url, bff: 'web', document: ORDERS });
  const response = await fetch(endpoints, { method: 'POST', headers, body });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  const { id } = (await response.json()) as { id: string };
  return { remove: () => fetch(`${endpoints}/${id}`, { method: 'DELETE', headers }) };
}
