import { until } from '@tidegate/testing';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOrder, productIds } from '../harness/graphql.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

const query = 'subscription ($id: ID!) { order(id: $id) { id version status } }';

interface State {
  readonly version: number;
  readonly status: string;
}

describe('the protocols’ own clients work unchanged', () => {
  let platform: EmbeddedPlatform;
  let token: string;
  let productId: string;

  beforeAll(async () => {
    platform = await startEmbedded();
    token = await platform.token('customer-1', 'customer');
    await until(async () => (await productIds(platform.webUrl)).length === 40, { what: 'the catalogue' });
    [productId] = (await productIds(platform.webUrl)) as [string];
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  async function expectWholeLife(
    subscribe: (id: string, onState: (state: State) => void) => () => void,
  ): Promise<void> {
    const { orderId } = await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
    const states: State[] = [];
    const stop = subscribe(orderId, (state) => states.push(state));
    await until(() => states.at(-1)?.status === 'DELIVERED', { what: 'the delivery', timeoutMs: 20_000 });
    stop();
    const first = states[0]!.version;
    expect(states.map(({ version }) => version)).toEqual(states.map((_, index) => first + index));
  }

  const sinkOf = (onState: (state: State) => void) => ({
    next: ({ data }: { data?: unknown }) => onState((data as { order: State }).order),
    error: (error: unknown) => expect.fail(JSON.stringify(error)),
    complete: () => undefined,
  });

  it('graphql-ws: snapshot, then every change', async () => {
    const url = `${platform.webUrl.replace('http', 'ws')}/graphql/web`;
    const client = createWsClient({ url, connectionParams: { authorization: `Bearer ${token}` } });
    await expectWholeLife((id, onState) => client.subscribe({ query, variables: { id } }, sinkOf(onState)));
    await client.dispose();
  });

  it('graphql-sse in distinct connections mode: snapshot, then every change', async () => {
    const client = createSseClient({
      url: `${platform.webUrl}/graphql/web`,
      headers: { authorization: `Bearer ${token}` },
    });
    await expectWholeLife((id, onState) => client.subscribe({ query, variables: { id } }, sinkOf(onState)));
    client.dispose();
  });

  it('graphql-ws: queries and mutations too', async () => {
    const url = `${platform.webUrl.replace('http', 'ws')}/graphql/web`;
    const client = createWsClient({ url, connectionParams: { authorization: `Bearer ${token}` } });
    for await (const { data } of client.iterate<{ me: unknown }>({ query: '{ me { id role } }' })) {
      expect(data).toEqual({ me: { id: 'customer-1', role: 'CUSTOMER' } });
    }
    await client.dispose();
  });

  it('a command’s outcome is told once, then the subscription completes', async () => {
    const url = `${platform.webUrl.replace('http', 'ws')}/graphql/web`;
    const client = createWsClient({ url, connectionParams: { authorization: `Bearer ${token}` } });
    const commandId = crypto.randomUUID();
    const outcomes: unknown[] = [];
    const document = `subscription ($id: ID!) { commandOutcome(id: $id) {
      __typename ... on CommandAccepted { commandId orderId }
    } }`;
    const done = (async () => {
      for await (const { data } of client.iterate({ query: document, variables: { id: commandId } }))
        outcomes.push(data);
    })();
    const placed = await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }], commandId);
    await done;
    const { orderId } = placed;
    expect(outcomes).toEqual([{ commandOutcome: { __typename: 'CommandAccepted', commandId, orderId } }]);
    await client.dispose();
  });
});
