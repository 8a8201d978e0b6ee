import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Edge } from '../edge.fixture.ts';

const URQL =
  'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed';
const SUBSCRIPTION = 'subscription { counter(id: "a") { count } }';
const GRAPHQL = 'application/graphql-response+json; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

let edge: Edge;
beforeEach(async () => void (edge = await new Edge().start()));
afterEach(() => edge[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly code: unknown;
  readonly text: string;
  readonly headers: Headers;
}

async function send(
  body: string | Buffer,
  headers: Record<string, string> = {},
  search = '',
): Promise<Answer> {
  const init = {
    method: 'POST',
    body: body as never,
    headers: { 'content-type': 'application/json', ...headers },
  };
  return answerOf(await fetch(`${edge.url}${search}`, init));
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, text, type: headers.get('content-type'), code: /"code":"(\w+)"/.exec(text)?.[1] };
}

const query = (text: string, more: object = {}): string => JSON.stringify({ query: text, ...more });
const READY = query('{ ready }');

describe('a query is answered as', () => {
  it.each<[string, string | undefined, string]>([
    ['JSON without an Accept', undefined, JSON_TYPE],
    ['JSON for a wildcard', '*/*', JSON_TYPE],
    ['JSON for the Accept of urql', URQL, GRAPHQL],
    ['JSON when an event stream is preferred', 'text/event-stream, application/json;q=0.1', JSON_TYPE],
    [
      'the type of the higher quality',
      'application/json;q=0.5, application/graphql-response+json;q=0.6',
      GRAPHQL,
    ],
    ['the type that is named first', 'application/json, application/graphql-response+json', JSON_TYPE],
    ['a type in capitals', 'APPLICATION/GRAPHQL-RESPONSE+JSON', GRAPHQL],
    ['a type with a charset', 'application/json; charset=UTF-8', JSON_TYPE],
    ['the other type when one has the quality 0', '*/*, application/json;q=0', GRAPHQL],
    [
      'an event stream when nothing else is accepted',
      'Text/Event-Stream',
      'text/event-stream; charset=utf-8',
    ],
  ])('%s', async (_title, accept, type) => {
    const answer = await send(READY, accept === undefined ? {} : { accept });
    expect([answer.status, answer.type]).toEqual([200, type]);
    expect(answer.text).toContain('{"data":{"ready":true}');
  });
});

describe('NOT_ACCEPTABLE, without a line in the log, is the answer to', () => {
  it.each<[string, string, string | undefined]>([
    ['a query as HTML', READY, 'text/html'],
    ['a query as nothing', READY, 'application/*;q=0'],
    ['a query as JSON of quality 0', READY, 'application/json;q=0'],
    ['a subscription without an Accept', query(SUBSCRIPTION), undefined],
    ['a subscription as JSON', query(SUBSCRIPTION), 'application/json'],
    [
      'a subscription as a stream of quality 0',
      query(SUBSCRIPTION),
      'application/json, text/event-stream;q=0',
    ],
    ['a stream of quality 0 alone', query(SUBSCRIPTION), 'text/event-stream;q=0.0'],
  ])('%s', async (_title, body, accept) => {
    const answer = await send(body, accept === undefined ? {} : { accept });
    expect([answer.status, answer.code]).toEqual([406, 'NOT_ACCEPTABLE']);
    expect(answer.text).toContain('text/event-stream');
    expect(edge.errors).toEqual([]);
  });
});

it('a subscription is a stream when a client accepts JSON and streams', async () => {
  const abort = new AbortController();
  const headers = { 'content-type': 'application/json', accept: URQL };
  const response = await fetch(edge.url, {
    method: 'POST',
    headers,
    body: query(SUBSCRIPTION),
    signal: abort.signal,
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  abort.abort();
  await edge.released();
});

describe('a body', () => {
  it.each<[string, string | Buffer, Record<string, string>, number, string | undefined]>([
    ['with a byte order mark is read', `\uFEFF${READY}`, {}, 200, undefined],
    [
      'of a form is read',
      'query=%7B+ready+%7D',
      { 'content-type': 'application/x-www-form-urlencoded' },
      200,
      undefined,
    ],
    ['that is a document is read', '{ ready }', { 'content-type': 'application/graphql' }, 200, undefined],
    [
      'of a type in capitals is read',
      READY,
      { 'content-type': 'Application/JSON; Charset="UTF-8"' },
      200,
      undefined,
    ],
    ['in gzip is inflated', gzipSync(READY), { 'content-encoding': 'GZip' }, 200, undefined],
    ['in deflate is inflated', deflateSync(READY), { 'content-encoding': 'deflate' }, 200, undefined],
    ['in brotli is inflated', brotliCompressSync(READY), { 'content-encoding': 'br' }, 200, undefined],
    ['in another coding is refused', READY, { 'content-encoding': 'zstd' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['in two codings is refused', READY, { 'content-encoding': 'gzip, gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'in another charset is refused',
      READY,
      { 'content-type': 'application/json; charset=utf-16' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['of another type is refused', READY, { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    [
      'of a type that only begins alike is refused',
      READY,
      { 'content-type': 'application/json-seq' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['that is no gzip is refused', READY, { 'content-encoding': 'gzip' }, 400, 'BAD_REQUEST'],
    [
      'that inflates beyond the bound is refused',
      gzipSync(Buffer.alloc(300_000)),
      { 'content-encoding': 'gzip' },
      413,
      'PAYLOAD_TOO_LARGE',
    ],
    ['that is too large is refused', 'x'.repeat(300_000), {}, 413, 'PAYLOAD_TOO_LARGE'],
    ['that is not UTF-8 is refused', Buffer.from([0xff, 0xfe]), {}, 400, 'BAD_REQUEST'],
    ['that is a list is refused', `[${READY}]`, {}, 400, 'BAD_REQUEST'],
    [
      'with variables that are not JSON is refused',
      'query=%7Bready%7D&variables=%7B',
      { 'content-type': 'application/x-www-form-urlencoded' },
      400,
      'BAD_REQUEST',
    ],
    [
      'with deep variables is refused',
      `{"query":"{ ready }","variables":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`,
      {},
      400,
      'OPERATION_TOO_COMPLEX',
    ],
    [
      'with a deep document is refused',
      query(`{ take(a: ${'['.repeat(20_000)}`),
      {},
      400,
      'OPERATION_TOO_COMPLEX',
    ],
  ])('%s, whatever Accept', async (_title, body, headers, status, code) => {
    for (const accept of ['application/json', 'application/graphql-response+json', URQL]) {
      const answer = await send(body, { ...headers, accept });
      expect([answer.status, answer.code]).toEqual([status, code]);
      expect(answer.type).toMatch(/^application\/(json|graphql-response\+json); charset=utf-8$/);
    }
    expect(edge.errors).toEqual([]);
  });

  it('in another coding is told the codings that are read', async () => {
    expect((await send(READY, { 'content-encoding': 'zstd' })).headers.get('accept-encoding')).toBe(
      'gzip, deflate, br',
    );
  });
});

describe('a GET', () => {
  const get = async (parameters: Record<string, string>, accept = 'application/graphql-response+json') =>
    answerOf(await fetch(`${edge.url}?${new URLSearchParams(parameters)}`, { headers: { accept } }));

  it('is answered, with an empty operation name', async () => {
    expect(await get({ query: '{ ready }', operationName: '' })).toMatchObject({
      status: 200,
      type: GRAPHQL,
    });
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['variables that are not JSON', { query: '{ ready }', variables: '{' }, 400, 'BAD_REQUEST'],
    ['variables that are a list', { query: '{ ready }', variables: '[]' }, 400, 'BAD_REQUEST'],
    ['extensions that are not JSON', { query: '{ ready }', extensions: 'x' }, 400, 'BAD_REQUEST'],
    ['a mutation', { query: 'mutation { touch }' }, 405, 'METHOD_NOT_ALLOWED'],
    ['a subscription as JSON', { query: SUBSCRIPTION }, 406, 'NOT_ACCEPTABLE'],
  ])('with %s is refused', async (_title, parameters, status, code) => {
    expect(await get(parameters)).toMatchObject({ status, code });
  });
});

describe('a cursor that is no text is CURSOR_INVALID', () => {
  it.each<[unknown]>([[1], [null], [{ a: 1 }], [['x']], [true]])(
    'over SSE and WebSocket: %j',
    async (cursor) => {
      const body = query(SUBSCRIPTION, { extensions: { cursor } });
      const answer = await send(body, { accept: 'text/event-stream' });
      expect([answer.status, answer.code]).toEqual([200, 'CURSOR_INVALID']);
      const socket = await edge.open();
      socket.send({ type: 'subscribe', id: '1', payload: JSON.parse(body) });
      const error = await until(() => socket.of('error')[0], { what: 'the error' });
      expect(JSON.stringify(error)).toContain('"extensions":{"code":"CURSOR_INVALID"}');
    },
  );
});

describe('a result', () => {
  it('tells its cost when asked', async () => {
    const answer = await send(query('{ ready }', { extensions: { cost: true } }));
    expect(JSON.parse(answer.text)).toEqual({
      data: { ready: true },
      extensions: { cost: { operation: 1, max: 1_250 } },
    });
  });

  it('of a subscription tells its cost to the client that asks', async () => {
    const socket = await edge.open();
    const subscribe = (id: string, extensions: object) =>
      socket.send({ type: 'subscribe', id, payload: { query: SUBSCRIPTION, extensions } });
    subscribe('asks', { cost: true });
    subscribe('silent', {});
    await socket.settled();
    await edge.publish();
    const extensionsOf = (id: string) =>
      until(() => (socket.of('next', id)[0]?.payload as { extensions?: { cursor: string } })?.extensions, {
        what: 'the change',
      });
    const [asked, silent] = [await extensionsOf('asks'), await extensionsOf('silent')];
    expect(asked).toEqual({ ...silent, cost: { operation: expect.any(Number) as number, max: 1_250 } });
    expect(silent.cursor).toBe(asked.cursor);
  });

  it('varies by Accept', async () => expect((await send(READY)).headers.get('vary')).toMatch(/accept(,|$)/i));
});

describe('a WebSocket message', () => {
  const deep = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

  it.each<[string, string]>([
    [
      'subscribe',
      `{"type":"subscribe","id":"1","payload":{"query":"{ ready }","variables":{"a":${deep(50_000)}}}}`,
    ],
    ['ping', `{"type":"ping","payload":{"a":${deep(50_000)}}}`],
  ])(
    '%s that is deeper than the stack closes with 4400, without a line in the log',
    async (_title, message) => {
      const socket = await edge.open();
      socket.send(message);
      await until(() => socket.closed, { what: 'the close' });
      expect(socket.closed).toMatchObject({ code: 4400 });
      expect(edge.errors).toEqual([]);
    },
  );

  it('with variables over the limit ends its operation with OPERATION_TOO_COMPLEX', async () => {
    const socket = await edge.open();
    socket.send(
      `{"type":"subscribe","id":"1","payload":{"query":"{ ready }","variables":{"a":${deep(900)}}}}`,
    );
    const error = await until(() => socket.of('error')[0], { what: 'the error' });
    expect(JSON.stringify(error)).toContain('OPERATION_TOO_COMPLEX');
  });
});
