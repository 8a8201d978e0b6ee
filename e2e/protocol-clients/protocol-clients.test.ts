/** Promise: unmodified clients of the protocols work: graphql-ws, graphql-sse, EventSource, Apollo, urql. */
import { createHash } from 'node:crypto';
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { until } from '@tidegate/testing';
import { createClient as createUrqlClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { EventSource } from 'eventsource';
import { createClient as createSseClient, type Client as SseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

const query = 'subscription ($id: ID!) { order(id: $id) { id version status } }';

interface State {
  readonly version: number;
  readonly status: string;
}

describe('unmodified clients of the protocols work:', () => {
  let platform: EmbeddedPlatform;
  let token: string;
  let productId: string;

  beforeAll(async () => {
    platform = await startEmbedded();
    token = await platform.token('customer-1', 'customer');
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  /** Expects a snapshot, then every version up to the delivery. */
  async function expectEveryVersion(
    subscribe: (id: string, onState: (state: State) => void) => () => void | Promise<void>,
  ): Promise<void> {
    const { orderId } = await placeOrder(platform.webUrl, token, [{ productId, quantity: 1 }]);
    const states: State[] = [];
    const stop = subscribe(orderId, (state) => states.push(state));
    await until(() => states.at(-1)?.status === 'DELIVERED', { what: 'the delivery', timeoutMs: 20_000 });
    await stop();
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
    await expectEveryVersion((id, onState) =>
      client.subscribe({ query, variables: { id } }, sinkOf(onState)),
    );
    await client.dispose();
  });

  /** The returned function resolves when the client has also stopped the operation on the server. */
  function subscribeSse(
    client: SseClient,
    request: { query: string; variables?: Record<string, unknown> },
    onData: (result: { data?: unknown }) => void,
  ): () => Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = client.subscribe(request, { next: onData, error: reject, complete: resolve });
    return () => {
      stop();
      return promise;
    };
  }

  it.each([
    ['distinct connections', false],
    ['single connection', true],
  ])('graphql-sse in %s mode: snapshot, then every change', async (_mode, singleConnection) => {
    const client = createSseClient({
      url: `${platform.webUrl}/graphql/web`,
      headers: { authorization: `Bearer ${token}` },
      singleConnection: singleConnection as false,
    });
    await expectEveryVersion((id, onState) =>
      subscribeSse(client, { query, variables: { id } }, sinkOf(onState).next),
    );
    client.dispose();
  });

  it('graphql-sse in single connection mode: many operations on one stream, queries and mutations too', async () => {
    let streams = 0;
    const client = createSseClient({
      url: `${platform.webUrl}/graphql/web`,
      headers: { authorization: `Bearer ${token}` },
      singleConnection: true as never,
      on: { connected: () => streams++ },
    });
    const orders: unknown[] = [];
    const stop = subscribeSse(client, { query: 'subscription { orders { id status } }' }, ({ data }) =>
      orders.push(data),
    );
    await Promise.all([
      expectEveryVersion((id, onState) =>
        subscribeSse(client, { query, variables: { id } }, sinkOf(onState).next),
      ),
      expectEveryVersion((id, onState) =>
        subscribeSse(client, { query, variables: { id } }, sinkOf(onState).next),
      ),
    ]);
    for await (const { data } of client.iterate({ query: '{ me { id } }' })) {
      expect(data).toEqual({ me: { id: 'customer-1' } });
    }
    expect(orders.length).toBeGreaterThan(2);
    expect(streams).toBe(1);
    await stop();
    client.dispose();
  });

  function openEventSource(id: string, onState: (state: State) => void): EventSource {
    const url = new URL(`${platform.webUrl}/graphql/web`);
    url.searchParams.set('query', query);
    url.searchParams.set('variables', JSON.stringify({ id }));
    url.searchParams.set('access_token', token);
    const source = new EventSource(url);
    source.addEventListener('next', ({ data }) =>
      onState((JSON.parse(data as string) as { data: { order: State } }).data.order),
    );
    source.addEventListener('complete', () => source.close());
    return source;
  }

  it('EventSource with only a URL: snapshot, then every change', async () => {
    await expectEveryVersion((id, onState) => {
      const source = openEventSource(id, onState);
      return () => source.close();
    });
  });

  it('EventSource reconnects after a restart with its Last-Event-ID and misses nothing', async () => {
    let restarted: Promise<void> | undefined;
    await expectEveryVersion((id, onState) => {
      const source = openEventSource(id, (state) => {
        onState(state);
        restarted ??= platform.killAndRestart();
      });
      return () => source.close();
    });
    expect(restarted).toBeDefined();
    await restarted;
  });

  it('EventSource without a message yet reconnects with its first position and misses nothing', async () => {
    let stream = '';
    const lastEventIds: (string | undefined)[] = [];
    const url = new URL(`${platform.webUrl}/graphql/web`);
    url.searchParams.set('query', 'subscription { orders { id version status } }');
    url.searchParams.set('access_token', await platform.token('customer-3', 'customer'));
    const source = new EventSource(url, {
      fetch: async (address, init) => {
        lastEventIds.push((init.headers as Record<string, string>)['Last-Event-ID']);
        const response = await fetch(address, init);
        const seen = new TransformStream<Uint8Array, Uint8Array>({
          transform: (chunk, controller) => {
            stream += Buffer.from(chunk).toString();
            controller.enqueue(chunk);
          },
        });
        return new Response(response.body?.pipeThrough(seen) ?? null, response);
      },
    });
    const states: State[] = [];
    source.addEventListener('next', ({ data }) =>
      states.push((JSON.parse(data as string) as { data: { orders: State } }).data.orders),
    );
    const [, cursor] = await until(() => /^id: (.+)$/m.exec(stream), { what: 'the first position' });
    await platform.killAndRestart();
    const customer3 = await platform.token('customer-3', 'customer');
    await placeOrder(platform.webUrl, customer3, [{ productId, quantity: 1 }]);
    await until(() => states.at(-1)?.status === 'DELIVERED', { what: 'the delivery', timeoutMs: 20_000 });
    source.close();
    expect(lastEventIds).toContain(cursor);
    expect(states.map(({ version }) => version)).toEqual(states.map((_, index) => index + 1));
  });

  it.each(['GraphQLWsLink', 'HttpLink'])(
    'Apollo Client over %s: snapshot, then every change',
    async (link) => {
      const uri = `${platform.webUrl}/graphql/web`;
      const authorization = `Bearer ${token}`;
      const socket = createWsClient({ url: uri.replace('http', 'ws'), connectionParams: { authorization } });
      const client = new ApolloClient({
        link:
          link === 'HttpLink' ? new HttpLink({ uri, headers: { authorization } }) : new GraphQLWsLink(socket),
        cache: new InMemoryCache(),
      });
      await expectEveryVersion((id, onState) => {
        const subscription = client
          .subscribe({ query: gql(query), variables: { id }, fetchPolicy: 'no-cache' })
          .subscribe({ ...sinkOf(onState) });
        return () => subscription.unsubscribe();
      });
      client.stop();
      await socket.dispose();
    },
  );

  it('urql over its subscriptionExchange: snapshot, then every change', async () => {
    const socket = createWsClient({
      url: `${platform.webUrl.replace('http', 'ws')}/graphql/web`,
      connectionParams: { authorization: `Bearer ${token}` },
    });
    const client = createUrqlClient({
      url: `${platform.webUrl}/graphql/web`,
      exchanges: [
        subscriptionExchange({
          forwardSubscription: (request) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink as never),
            }),
          }),
        }),
      ],
    });
    await expectEveryVersion((id, onState) => {
      const subscription = client
        .subscription(query, { id })
        .subscribe(({ data, error }) =>
          error ? expect.fail(error.message) : onState((data as { order: State }).order),
        );
      return () => subscription.unsubscribe();
    });
    await socket.dispose();
  });

  it('urql over HTTP without options: queries and mutations', async () => {
    const fetchOptions = { headers: { authorization: `Bearer ${token}` } };
    const client = createUrqlClient({
      url: `${platform.webUrl}/graphql/web`,
      exchanges: [fetchExchange],
      fetchOptions,
    });
    const read = await client.query('{ me { id } }', {});
    expect([read.error, read.data]).toEqual([undefined, { me: { id: 'customer-1' } }]);
    const cancel = 'mutation { cancelOrder(input: { orderId: "none" }) { __typename } }';
    const written = await client.mutation(cancel, {});
    expect(written.error?.networkError).toBeUndefined();
    expect(written.data ?? written.error?.graphQLErrors.length).toBeTruthy();
    const bad = await client.query('{ nonsense }', {});
    expect(bad.error?.graphQLErrors[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('Apollo Client over HTTP without options: queries, and automatic persisted queries', async () => {
    const uri = `${platform.webUrl}/graphql/web`;
    const headers = { authorization: `Bearer ${token}` };
    const persisted = new PersistedQueryLink({
      sha256: (text) => createHash('sha256').update(text).digest('hex'),
    });
    for (const link of [new HttpLink({ uri, headers }), persisted.concat(new HttpLink({ uri, headers }))]) {
      const client = new ApolloClient({ link, cache: new InMemoryCache() });
      for (const fetchPolicy of ['network-only', 'network-only'] as const) {
        const { data } = await client.query({ query: gql('{ me { id } }'), fetchPolicy });
        expect(data).toMatchObject({ me: { id: 'customer-1' } });
      }
      client.stop();
    }
  });

  it('graphql-ws: queries and mutations too', async () => {
    const url = `${platform.webUrl.replace('http', 'ws')}/graphql/web`;
    const client = createWsClient({ url, connectionParams: { authorization: `Bearer ${token}` } });
    for await (const { data } of client.iterate<{ me: unknown }>({ query: '{ me { id role } }' })) {
      expect(data).toEqual({ me: { id: 'customer-1', role: 'CUSTOMER' } });
    }
    await client.dispose();
  });

  it('graphql-ws: a command’s outcome arrives once, then the subscription completes', async () => {
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
