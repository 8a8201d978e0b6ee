import { ApolloClient, CombinedProtocolErrors, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Edge, type EdgeOptions } from '../edge.fixture.ts';

/** As Apollo Kotlin sends it. */
const ACCEPT = 'multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json, application/json';
const COUNTER = 'subscription { counter(id: "a") { count } }';

let edge: Edge;
const streams: Stream[] = [];

async function start(options?: EdgeOptions): Promise<void> {
  edge = await new Edge(options).start();
}

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.abort();
  await edge[Symbol.asyncDispose]();
});

/** One response, read as it comes. */
class Stream {
  readonly response: Response;
  readonly #controller: AbortController;
  text = '';
  ended = false;

  constructor(response: Response, controller: AbortController) {
    this.response = response;
    this.#controller = controller;
    void this.#read().catch(() => undefined);
  }

  /** Bodies of the parts, without the opening. */
  get parts(): unknown[] {
    return this.text
      .split('\r\n--graphql')
      .slice(1)
      .filter((part) => part.includes('\r\n\r\n'))
      .map((part) => JSON.parse(part.slice(part.indexOf('\r\n\r\n'))) as unknown);
  }

  get payloads(): { data?: unknown; extensions?: { cursor?: string } }[] {
    return this.parts.flatMap((part) => (part as { payload?: { data?: unknown } }).payload ?? []);
  }

  get counts(): unknown[] {
    return this.payloads.map(({ data }) => (data as { counter: { count: number } }).counter.count);
  }

  abort(): void {
    this.#controller.abort();
  }

  async #read(): Promise<void> {
    for await (const chunk of this.response.body!) this.text += Buffer.from(chunk).toString();
    this.ended = true;
  }
}

async function send(body: object, accept = ACCEPT): Promise<Stream> {
  const controller = new AbortController();
  const response = await fetch(edge.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
    signal: controller.signal,
  });
  const stream = new Stream(response, controller);
  streams.push(stream);
  return stream;
}

/** Waits until the hub has the subscription, so that the next change reaches it. */
const subscribed = () => until(() => edge.hub.subscriptions === 1, { what: 'the subscription' });

describe('Apollo Client with its own HttpLink', () => {
  let client: ApolloClient;
  beforeEach(async () => {
    await start({ limits: { heartbeatMs: 20 } });
    client = new ApolloClient({ link: new HttpLink({ uri: edge.url }), cache: new InMemoryCache() });
  });
  afterEach(() => client.stop());

  it('subscribes, receives each change as it happens, and stops', async () => {
    const counts: number[] = [];
    const subscription = client
      .subscribe<{ counter: { count: number } }>({ query: gql(COUNTER) })
      .subscribe({ next: ({ data }) => counts.push(data!.counter.count) });
    await subscribed();
    for (const count of [1, 2, 3]) {
      await edge.publish();
      await until(() => counts.length === count, { what: `change ${count}` });
    }
    subscription.unsubscribe();
    await edge.released();
    expect(counts).toEqual([1, 2, 3]);
  });

  it('queries over the same link', async () => {
    const { data } = await client.query({ query: gql('{ ready }') });
    expect(data).toEqual({ ready: true });
  });
});

it('tells Apollo Client why a subscription ends early', async () => {
  await start({ limits: { maxConnectionAgeMs: 50 } });
  const client = new ApolloClient({ link: new HttpLink({ uri: edge.url }), cache: new InMemoryCache() });
  const errors: unknown[] = [];
  client.subscribe({ query: gql(COUNTER) }).subscribe({
    next: ({ error }) => error && errors.push(error),
    error: (error: unknown) => errors.push(error),
  });
  await until(() => errors.length > 0, { what: 'the error' });
  expect(errors[0]).toBeInstanceOf(CombinedProtocolErrors);
  expect((errors[0] as CombinedProtocolErrors).errors[0]!.extensions).toEqual({ code: 'DRAINING' });
  client.stop();
});

describe('a multipart subscription', () => {
  it('is a stream of parts, each complete at once, with the cursor in the extensions', async () => {
    await start();
    const stream = await send({ query: COUNTER });
    expect(stream.response.headers.get('content-type')).toBe(
      'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    );
    await subscribed();
    await edge.publish();
    await until(() => stream.counts.length === 1, { what: 'the change' });
    expect(stream.text.startsWith('\r\n--graphql\r\n')).toBe(true);
    expect(stream.text).toMatch(
      /\r\n--graphql\r\ncontent-type: application\/json\r\n\r\n\{"payload":\{.*\}\}\r\n--graphql$/,
    );
    expect(stream.payloads[0]!.extensions).toMatchObject({ cursor: expect.any(String), version: 1 });
  });

  it('carries the cursor of an idle subscription in a heartbeat', async () => {
    await start();
    const stream = await send({ query: COUNTER });
    await until(() => stream.parts.length > 0, { what: 'the heartbeat' });
    expect(stream.text).toMatch(/\r\nx-tidegate-cursor: [\w.-]+\r\n\r\n\{\}\r\n--graphql$/);
  });

  it('carries {} as a heartbeat', async () => {
    await start({ limits: { heartbeatMs: 20 } });
    const stream = await send({ query: COUNTER });
    await until(() => stream.parts.length >= 2, { what: 'two heartbeats' });
    expect(stream.parts.slice(0, 2)).toEqual([{}, {}]);
    expect(stream.text).toContain('\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql');
  });

  it('resumes by extensions.cursor without loss or repeat', async () => {
    await start();
    const before = await send({ query: COUNTER });
    await subscribed();
    await edge.publish();
    await until(() => before.counts.length === 1, { what: 'the first change' });
    before.abort();
    await edge.released();
    for (const _missed of [2, 3]) await edge.publish();
    const { cursor } = before.payloads[0]!.extensions!;
    const after = await send({ query: COUNTER, extensions: { cursor } });
    await until(() => after.counts.length === 2, { what: 'the missed changes' });
    await edge.publish();
    await until(() => after.counts.length === 3, { what: 'the next change' });
    expect(after.counts).toEqual([2, 3, 4]);
  });

  it('that ends early says why in a part without payload, and ends the body', async () => {
    await start({ limits: { maxConnectionAgeMs: 50 } });
    const stream = await send({ query: COUNTER });
    await until(() => stream.ended, { what: 'the end' });
    expect(stream.parts.at(-1)).toEqual({
      payload: null,
      errors: [{ message: 'This server closes: connect again.', extensions: { code: 'DRAINING' } }],
    });
    expect(stream.text.endsWith('\r\n--graphql--\r\n')).toBe(true);
    await edge.released();
  });

  it('of a cursor that cannot be resumed ends with its error', async () => {
    await start();
    const stream = await send({ query: COUNTER, extensions: { cursor: 'none' } });
    await until(() => stream.ended, { what: 'the end' });
    expect(stream.parts).toMatchObject([
      { payload: null, errors: [{ extensions: { code: 'CURSOR_INVALID' } }] },
    ]);
    await edge.released();
  });

  it('is counted in the limits of its address', async () => {
    await start({ limits: { maxConnectionsPerAddress: 1 } });
    const first = await send({ query: COUNTER });
    const second = await send({ query: COUNTER });
    expect([first.response.status, second.response.status]).toEqual([200, 429]);
    first.abort();
    await edge.released();
  });
});

describe('the answer is JSON to', () => {
  it.each<[string, object, number, string | undefined]>([
    ['a query', { query: '{ ready }' }, 200, undefined],
    [
      'a document that does not fit the schema',
      { query: 'subscription { other }' },
      400,
      'GRAPHQL_VALIDATION_FAILED',
    ],
    ['a document that cannot be parsed', { query: 'subscription {' }, 400, 'GRAPHQL_PARSE_FAILED'],
    ['a cursor of another type', { query: COUNTER, extensions: { cursor: 7 } }, 400, 'CURSOR_INVALID'],
  ])('%s', async (_title, body, status, code) => {
    await start();
    const stream = await send(body);
    const { response } = stream;
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      'application/graphql-response+json; charset=utf-8',
    ]);
    await until(() => stream.ended, { what: 'the body' });
    const { errors } = JSON.parse(stream.text) as { errors?: { extensions: { code: string } }[] };
    expect(errors?.[0]?.extensions.code).toBe(code);
  });
});

describe('multipart subscriptions are accepted', () => {
  it.each([
    ['by Apollo Client 4', 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json;q=0.9'],
    ['by Apollo iOS', 'multipart/mixed;boundary="graphql";subscriptionSpec="1.0",application/json'],
    ['alone', 'multipart/mixed;subscriptionSpec=1.0'],
    ['in capitals', 'Multipart/Mixed; SubscriptionSpec=1.0'],
  ])('%s', async (_title, accept) => {
    await start();
    const { response } = await send({ query: COUNTER }, accept);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'multipart/mixed;boundary="graphql";subscriptionSpec="1.0"',
    ]);
  });

  it.each([
    ['without the specification', 'multipart/mixed'],
    ['of a later specification', 'multipart/mixed;subscriptionSpec=2.0'],
    ['of deferred fragments', 'multipart/mixed;deferSpec=20220824'],
    ['with the quality 0', 'multipart/mixed;subscriptionSpec=1.0;q=0'],
  ])('not %s: 406', async (_title, accept) => {
    await start();
    const { response } = await send({ query: COUNTER }, `${accept}, application/json`);
    expect(response.status).toBe(406);
  });

  it('for subscriptions only: a query without JSON in Accept is answered 406', async () => {
    await start();
    const { response } = await send({ query: '{ ready }' }, 'multipart/mixed;subscriptionSpec=1.0');
    expect(response.status).toBe(406);
  });
});
