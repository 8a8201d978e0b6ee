/** Promise: every bad request is answered with a code of the error table and never with a stack trace. */
import { errorCodes, isErrorCode } from '@tidegate/core';
import { until } from '@tidegate/testing';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphql, productIds } from '../harness/graphql.ts';
import { signToken } from '../../scripts/token/sign-token.ts';
import { startEmbedded, testSecrets, type EmbeddedPlatform } from '../harness/running-platform.ts';

interface Answer {
  readonly status: number;
  readonly body: { errors?: { message: string; extensions?: { code?: string } }[]; data?: unknown };
  readonly text: string;
}

describe('a bad request is answered with a code of the table and without a stack trace:', () => {
  let platform: EmbeddedPlatform;
  let customer: string;

  beforeAll(async () => {
    platform = await startEmbedded();
    customer = await platform.token('customer-1', 'customer');
    await until(async () => (await productIds(platform.webUrl)).length > 0, { what: 'the catalogue' });
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  async function send(
    body: string,
    headers: Record<string, string> = {},
    init: { method?: string; path?: string } = {},
  ): Promise<Answer> {
    const response = await fetch(`${platform.webUrl}${init.path ?? '/graphql/web'}`, {
      method: init.method ?? 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        ...headers,
      },
      ...(init.method !== 'GET' && { body }),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) as Answer['body'] };
  }

  const query = (text: string, variables?: Record<string, unknown>): string =>
    JSON.stringify({ query: text, variables });
  const big = query(`{ me { id } } #${'x'.repeat(300_000)}`);
  const orderById = 'query ($id: ID!) { order(id: $id) { id } }';

  it.each<[string, string, string, number, Record<string, string>?]>([
    ['an unknown field', query('{ nonsense }'), 'GRAPHQL_VALIDATION_FAILED', 400],
    ['a document that does not parse', query('{ me {'), 'GRAPHQL_PARSE_FAILED', 400],
    ['a missing variable', query(orderById, {}), 'BAD_USER_INPUT', 400],
    ['a variable of the wrong type', query(orderById, { id: { a: 1 } }), 'BAD_USER_INPUT', 400],
    ['a body that is not JSON', '{"query": ', 'BAD_REQUEST', 400],
    ['a body without a query', '{}', 'BAD_REQUEST', 400],
    ['an oversized body', big, 'PAYLOAD_TOO_LARGE', 413],
    [
      'an unsupported content type',
      query('{ me { id } }'),
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      { 'content-type': 'text/x-nothing' },
    ],
    [
      'a malformed bearer token',
      query('{ me { id } }'),
      'UNAUTHENTICATED',
      401,
      { authorization: 'Bearer abc.def.ghi' },
    ],
    [
      'another authorisation scheme',
      query('{ me { id } }'),
      'UNAUTHENTICATED',
      401,
      { authorization: 'Basic YTpi' },
    ],
  ])('%s', async (_name, body, code, status, headers) => {
    const answer = await send(body, headers);
    expect([answer.body.errors?.[0]?.extensions?.code, answer.status]).toEqual([code, status]);
    expect(answer.text).not.toMatch(/\bat .*\.[jt]s:\d+|node_modules/);
  });

  it('an expired token', async () => {
    const expired = await signExpired();
    const answer = await send(query('{ me { id } }'), { authorization: `Bearer ${expired}` });
    expect([answer.body.errors?.[0]?.extensions?.code, answer.status]).toEqual(['TOKEN_EXPIRED', 401]);
  });

  it.each<[string, string, string]>([
    ['a page that is too large', '{ orders(first: 1000) { totalCount } }', 'BAD_USER_INPUT'],
    ['a malformed page cursor', '{ orders(after: "zzz") { totalCount } }', 'BAD_USER_INPUT'],
    ['a malformed consistency token', '{ order(id: "a", notOlderThan: "zzz") { id } }', 'BAD_USER_INPUT'],
    ['a malformed id', '{ order(id: "../../etc") { id } }', 'BAD_USER_INPUT'],
  ])('a bad argument: %s', async (_name, text, code) => {
    const answer = await graphql(`${platform.webUrl}/graphql/web`, customer, { query: text });
    expect(answer.errors?.[0]?.extensions?.code).toBe(code);
  });

  it('an operation that needs a token, without one', async () => {
    const answer = await graphql(`${platform.webUrl}/graphql/web`, undefined, {
      query: '{ orders { totalCount } }',
    });
    expect(answer.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
  });

  it('a mutation by GET', async () => {
    const text = encodeURIComponent('mutation { cancelOrder(input: { orderId: "a" }) { __typename } }');
    const answer = await send('', {}, { method: 'GET', path: `/graphql/web?query=${text}` });
    expect([answer.body.errors?.[0]?.extensions?.code, answer.status]).toEqual(['METHOD_NOT_ALLOWED', 405]);
  });

  it('a document the mobile BFF does not trust', async () => {
    const answer = await send(query('{ home { offers { id } } }'), {}, { path: '/graphql/mobile' });
    expect(answer.body.errors?.[0]?.extensions?.code).toBe('DOCUMENT_NOT_TRUSTED');
  });

  it('an unknown address', async () => {
    const response = await fetch(`${platform.webUrl}/graphql/none`, { method: 'POST', body: '{}' });
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      404,
      'NOT_FOUND',
    ]);
  });

  it.each<[string, Record<string, string>, Record<string, unknown>, string]>([
    [
      'of an order that does not exist',
      {},
      { query: 'subscription { order(id: "none") { id } }' },
      'NOT_FOUND',
    ],
    [
      'with a forged cursor',
      {},
      { query: 'subscription { orders { id } }', extensions: { cursor: 'AAAA' } },
      'CURSOR_INVALID',
    ],
    [
      'of another customer’s orders',
      {},
      { query: 'subscription { orders(filter: { customerId: "customer-2" }) { id } }' },
      'FORBIDDEN',
    ],
    [
      'with a bad variable',
      {},
      { query: 'subscription ($id: ID!) { order(id: $id) { id } }' },
      'BAD_USER_INPUT',
    ],
  ])('a subscription %s, over WebSocket and over SSE', async (_name, _headers, payload, code) => {
    expect(await webSocketError(payload)).toBe(code);
    const response = await fetch(`${platform.webUrl}/graphql/web`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${customer}`,
      },
      body: JSON.stringify(payload),
    });
    const found = /"code":"([A-Z_]+)"/.exec(await response.text())?.[1];
    expect(found).toBe(code);
    expect(isErrorCode(found)).toBe(true);
  });

  it('a WebSocket with an invalid token, which is closed with the close code of UNAUTHENTICATED', async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const client = createClient({
      url: `${platform.webUrl.replace('http', 'ws')}/graphql/web`,
      connectionParams: { authorization: 'Bearer abc.def.ghi' },
      retryAttempts: 0,
      on: { closed: (event) => resolve((event as { code: number }).code) },
    });
    client.subscribe({ query: 'subscription { orders { id } }' }, { next() {}, error() {}, complete() {} });
    expect(await promise).toBe(errorCodes.UNAUTHENTICATED.closeCode);
    await client.dispose();
  });

  async function webSocketError(payload: Record<string, unknown>): Promise<unknown> {
    const client = createClient({
      url: `${platform.webUrl.replace('http', 'ws')}/graphql/web`,
      connectionParams: { authorization: `Bearer ${customer}` },
      retryAttempts: 0,
    });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    client.subscribe(payload as never, {
      next: (result) => resolve(result),
      error: (errors) => resolve((errors as { extensions: { code: string } }[])[0]?.extensions.code),
      complete: () => resolve('completed'),
    });
    const found = await promise;
    await client.dispose();
    return found;
  }

  function signExpired(): Promise<string> {
    return signToken({ sub: 'customer-1', role: 'customer', ttlMs: -60_000, secret: testSecrets.JWT_SECRET });
  }
});
