import { Heartbeats } from '../heartbeats.ts';
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { FrameBatch } from '../../live/group/frame-batch.ts';
import { change, startSseEndpoint, StreamReader, type SseEndpointFixture } from './endpoint.fixture.ts';

const CUSTOMER = { authorization: 'Bearer customer.c1' };
const SUBSCRIPTION = 'subscription { a }';

describe('GraphQL over Server-Sent Events', () => {
  let fixture: SseEndpointFixture;

  afterEach(async () => {
    await fixture?.[Symbol.asyncDispose]();
  });

  const start = async (options: Parameters<typeof startSseEndpoint>[0] = {}): Promise<void> => {
    fixture = await startSseEndpoint(options);
  };

  const send = (
    method: string,
    init: { headers?: Record<string, string>; search?: string; body?: unknown } = {},
  ): Promise<Response> =>
    fetch(`${fixture.url}${init.search ?? ''}`, {
      method,
      headers: { 'content-type': 'application/json', ...CUSTOMER, ...init.headers },
      ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
    });

  const openStream = async (init: Parameters<typeof send>[1] = {}, method = 'POST'): Promise<StreamReader> =>
    new StreamReader(
      await send(method, { ...init, headers: { accept: 'text/event-stream', ...init.headers } }),
    );

  const codeOf = async (response: Response): Promise<[number, string]> => {
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect(errors[0]!.extensions).not.toHaveProperty('http');
    return [response.status, errors[0]!.extensions.code];
  };

  const reserve = async (headers: Record<string, string> = {}): Promise<string> => {
    const response = await send('PUT', { headers });
    expect(response.status).toBe(201);
    return response.text();
  };

  const operate = (
    token: string,
    operationId: unknown,
    query = SUBSCRIPTION,
    headers: Record<string, string> = {},
  ): Promise<Response> =>
    send('POST', {
      headers: { 'x-graphql-event-stream-token': token, ...headers },
      body: { query, extensions: { operationId } },
    });

  const only = () => fixture.subscriptions[0]!;

  describe('in distinct connections mode', () => {
    it('a stream begins with a comment at once and tells proxies to leave it alone', async () => {
      await start();
      const stream = await openStream({ body: { query: SUBSCRIPTION } });
      await until(() => stream.text !== '', { what: 'the first comment' });
      expect(stream.text).toMatch(/^:\nretry: \d{4}\n\n$/);
      const { headers } = stream.response;
      expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
      expect(headers.get('cache-control')).toBe('private, no-cache, no-transform');
      expect(headers.get('x-accel-buffering')).toBe('no');
    });

    it('a stream has a comment at least every heartbeat', async () => {
      await start({ heartbeats: new Heartbeats(10) });
      const stream = await openStream({ body: { query: SUBSCRIPTION } });
      await until(() => stream.text.endsWith(':\n\n:\n\n:\n\n'), { what: 'three heartbeats' });
    });

    it('every event’s id is its cursor; complete has an empty data field', async () => {
      await start();
      const stream = await openStream({ body: { query: SUBSCRIPTION } });
      only().sink.deliver(new FrameBatch([change(1)]));
      only().sink.complete();
      expect(await stream.ended).toBe('complete');
      const [, next, complete] = stream.text.split('\n\n');
      expect(next).toBe(`id: cursor-1\nevent: next\ndata: ${change(1).json.toString()}`);
      expect(complete).toBe('event: complete\ndata:');
    });

    it('an idle subscription’s cursor is sent as a comment and as an id without an event', async () => {
      await start();
      const stream = await openStream({ body: { query: SUBSCRIPTION } });
      only().sink.deliverPosition('cursor-9');
      await until(() => stream.text.endsWith('\n\n: cursor cursor-9\nid: cursor-9\n\n'), { what: 'it' });
    });

    it('goes on after Last-Event-ID, which is newer than the cursor of the address', async () => {
      await start();
      const search = `?query=${encodeURIComponent(SUBSCRIPTION)}&extensions=${encodeURIComponent('{"cursor":"old"}')}`;
      await openStream({ search }, 'GET');
      await openStream({ search, headers: { 'last-event-id': 'new' } }, 'GET');
      expect(fixture.subscriptions.map(({ cursor }) => cursor)).toEqual(['old', 'new']);
    });

    it('what is wrong with the operation is said on the stream', async () => {
      await start();
      const stream = await openStream({ body: { query: 'broken' } });
      expect(stream.response.status).toBe(200);
      expect(await stream.ended).toBe('complete');
      expect(stream.text).toContain('"code":"GRAPHQL_PARSE_FAILED"');
      expect(stream.text).not.toContain('http');
      expect(stream.text).toMatch(/\n\nevent: complete\ndata:\n\n$/);
    });

    it('a query is answered by one next and complete', async () => {
      await start();
      const stream = await openStream({ body: { query: '{ me }' } });
      expect(await stream.ended).toBe('complete');
      expect(stream.text).toContain(
        'event: next\ndata: {"data":{"echo":"{ me }"}}\n\nevent: complete\ndata:\n\n',
      );
    });

    it('the subscription stops when the client is gone', async () => {
      await start();
      const controller = new AbortController();
      await fetch(`${fixture.url}?query=${encodeURIComponent(SUBSCRIPTION)}`, {
        headers: { accept: 'text/event-stream', ...CUSTOMER },
        signal: controller.signal,
      });
      controller.abort();
      await until(() => only().stopped, { what: 'the subscription to stop' });
      expect(fixture.endpoint.streams).toBe(0);
      expect(await fixture.metricsText()).toContain('tidegate_live_connections{transport="sse"} 0');
    });

    it('a stream is cut at the end of its token’s life', async () => {
      await start();
      const headers = { authorization: `Bearer customer.c1.${Date.now() + 50}` };
      const stream = await openStream({ headers, body: { query: SUBSCRIPTION } });
      expect(await stream.ended).toBe('cut');
      expect(only().stopped).toBe(true);
    });

    it('a drain cuts every stream, so that an EventSource comes back by itself', async () => {
      await start();
      const stream = await openStream({ body: { query: SUBSCRIPTION } });
      const stopped = fixture.endpoint.stop(20);
      expect(await stream.ended).toBe('cut');
      await stopped;
      await expect(openStream({ body: { query: SUBSCRIPTION } })).rejects.toThrow('fetch failed');
    });

    it('one viewer has so many streams and no more; others are not concerned', async () => {
      await start({ limits: { maxConnectionsPerViewer: 2 } });
      await openStream({ body: { query: SUBSCRIPTION } });
      await reserve();
      const refused = await openStream({ body: { query: SUBSCRIPTION } });
      expect([refused.response.status, await refused.ended]).toEqual([429, 'complete']);
      expect(refused.text).toContain('TOO_MANY_CONNECTIONS');
      expect(await codeOf(await send('PUT'))).toEqual([429, 'TOO_MANY_CONNECTIONS']);
      await reserve({ authorization: 'Bearer customer.c2' });
    });
  });

  describe('by EventSource, which can send no headers', () => {
    const search = `?query=${encodeURIComponent(SUBSCRIPTION)}&access_token=customer.c1`;
    const bare = (method: string, accept: string, extra: Record<string, string> = {}): Promise<Response> =>
      fetch(`${fixture.url}${search}`, { method, headers: { accept, ...extra } });

    it('the token may be a parameter of a GET for an event stream', async () => {
      await start({ limits: { maxConnectionsPerViewer: 1 } });
      await bare('GET', 'text/event-stream');
      expect(await codeOf(await send('PUT'))).toEqual([429, 'TOO_MANY_CONNECTIONS']);
    });

    it('one that is not valid is refused as in a header', async () => {
      await start();
      const response = await fetch(`${fixture.url}${search}x!`, { headers: { accept: 'text/event-stream' } });
      expect(await codeOf(response)).toEqual([401, 'UNAUTHENTICATED']);
    });

    it('the parameter is refused beside a header', async () => {
      await start();
      expect(await codeOf(await bare('GET', 'text/event-stream', CUSTOMER))).toEqual([400, 'BAD_REQUEST']);
    });

    it('the parameter says nothing in any other request', async () => {
      await start({ limits: { maxConnectionsPerViewer: 1 } });
      // Reserved without a token, then by the viewer that the parameter would have named.
      await bare('PUT', '*/*');
      await reserve();
    });
  });

  describe('in single connection mode', () => {
    const openReserved = (token: string, headers: Record<string, string> = {}) =>
      openStream({ headers: { 'x-graphql-event-stream-token': token, ...headers } }, 'GET');

    it('operations are accepted with 202 and their results go to the one stream', async () => {
      await start();
      const token = await reserve();
      const stream = await openReserved(token);
      expect((await operate(token, 'one')).status).toBe(202);
      expect((await operate(token, 'two')).status).toBe(202);
      const [one, two] = fixture.subscriptions;
      two!.sink.deliver(new FrameBatch([change(1)]));
      one!.sink.deliver(new FrameBatch([change(2)]));
      one!.sink.complete();
      two!.sink.deliverPosition('cursor-3');
      await until(() => stream.text.includes('cursor-3'), { what: 'all of it' });
      expect(stream.text.split('\n\n').slice(1, -1)).toEqual([
        `event: next\ndata: {"id":"two","payload":${change(1).json.toString()}}`,
        `event: next\ndata: {"id":"one","payload":${change(2).json.toString()}}`,
        'event: complete\ndata: {"id":"one"}',
        ': cursors {"two":"cursor-3"}',
      ]);
    });

    it('a query’s result is next and complete with its id', async () => {
      await start();
      const token = await reserve();
      const stream = await openReserved(token);
      expect((await operate(token, 'q', '{ me }')).status).toBe(202);
      await until(() => stream.text.includes('complete'), { what: 'the answer' });
      expect(stream.text).toContain(
        'event: next\ndata: {"id":"q","payload":{"data":{"echo":"{ me }"}}}\n\nevent: complete\ndata: {"id":"q"}\n\n',
      );
    });

    it('what comes before the stream is open waits for it', async () => {
      await start();
      const token = await reserve();
      await operate(token, 'early');
      only().sink.deliver(new FrameBatch([change(1)]));
      const stream = await openReserved(token);
      await until(() => stream.text.includes('"id":"early"'), { what: 'what waited' });
    });

    it('an operation’s errors are next with errors, then complete', async () => {
      await start();
      const token = await reserve();
      const stream = await openReserved(token);
      await operate(token, 'one');
      const { TidegateError } = await import('@tidegate/core');
      only().sink.fail(new TidegateError('NOT_FOUND', 'There is nothing.'));
      await until(() => stream.text.includes('complete'), { what: 'the end' });
      expect(stream.text).toContain('"payload":{"errors":[{"message":"There is nothing."');
      expect((await operate(token, 'one')).status).toBe(202);
    });

    it('DELETE stops an operation, and is answered 200 also for one that has ended', async () => {
      await start();
      const token = await reserve();
      await openReserved(token);
      await operate(token, 'one');
      const stop = () =>
        send('DELETE', { headers: { 'x-graphql-event-stream-token': token }, search: '?operationId=one' });
      expect((await stop()).status).toBe(200);
      expect(only().stopped).toBe(true);
      expect((await stop()).status).toBe(200);
      expect((await operate(token, 'one')).status).toBe(202);
    });

    it('the end of the stream ends its operations and its reservation', async () => {
      await start();
      const token = await reserve();
      const controller = new AbortController();
      await fetch(`${fixture.url}?token=${token}`, {
        headers: { accept: 'text/event-stream' },
        signal: controller.signal,
      });
      await operate(token, 'one');
      controller.abort();
      await until(() => only().stopped, { what: 'the operation to stop' });
      expect(await codeOf(await operate(token, 'two'))).toEqual([404, 'NOT_FOUND']);
      expect(fixture.endpoint.streams).toBe(0);
    });

    it('EventSource opens it by the token alone; whoever has credentials has to be who reserved', async () => {
      await start();
      const token = await reserve();
      const foreign = await openReserved(token, { authorization: 'Bearer customer.c2' });
      expect(foreign.response.status).toBe(404);
      const response = await fetch(`${fixture.url}?token=${token}`, {
        headers: { accept: 'text/event-stream' },
      });
      expect(response.status).toBe(200);
    });

    it('a reservation that is not used in time is gone', async () => {
      await start({ reservationTtlMs: 10 });
      const token = await reserve();
      await until(() => fixture.endpoint.streams === 0, { what: 'the reservation to end' });
      expect((await openReserved(token)).response.status).toBe(404);
    });

    it('reservations are bounded in number', async () => {
      await start({ maxReservations: 1 });
      await reserve();
      const refused = await send('PUT', { headers: { authorization: 'Bearer customer.c2' } });
      expect(await codeOf(refused)).toEqual([429, 'RATE_LIMITED']);
    });

    it('a newer token of the same viewer on any request renews the stream', async () => {
      await start();
      const soon = Date.now() + 300;
      const old = { authorization: `Bearer customer.c1.${soon}` };
      const token = await reserve(old);
      const [renewed, other] = [await openReserved(token, old), await openReserved(await reserve(old), old)];
      await operate(token, 'one', SUBSCRIPTION, { authorization: `Bearer customer.c1.${soon + 60_000}` });
      expect(await other.ended).toBe('cut');
      only().sink.deliver(new FrameBatch([change(1)]));
      await until(() => renewed.text.includes('"id":"one"'), { what: 'a message after the old token' });
    });

    describe('bad input has its code', () => {
      const bad = async (...[id, query, headers]: [unknown, string?, Record<string, string>?]) =>
        codeOf(await operate(await reserve(), id, query, headers));

      it.each<[string, () => Promise<Response>, number, string]>([
        ['a token nobody has', () => operate('nonsense', 'one'), 404, 'NOT_FOUND'],
        [
          'a stream opened with a token nobody has',
          () => send('GET', { search: '?token=nonsense', headers: { accept: 'text/event-stream' } }),
          404,
          'NOT_FOUND',
        ],
        ['DELETE without a token', () => send('DELETE', { search: '?operationId=a' }), 400, 'BAD_REQUEST'],
        [
          'a stream by POST',
          () => send('POST', { search: '?token=nonsense', headers: { accept: 'text/event-stream' } }),
          405,
          'METHOD_NOT_ALLOWED',
        ],
        ['PATCH', () => send('PATCH', { search: '?token=nonsense' }), 405, 'METHOD_NOT_ALLOWED'],
        [
          'an event stream by PATCH',
          () => send('PATCH', { headers: { accept: 'text/event-stream' } }),
          405,
          'METHOD_NOT_ALLOWED',
        ],
        [
          'a mutation by GET',
          () =>
            send('GET', {
              search: `?query=${encodeURIComponent('mutation { a }')}`,
              headers: { accept: 'text/event-stream' },
            }),
          405,
          'METHOD_NOT_ALLOWED',
        ],
        [
          'variables that are not JSON',
          () => send('GET', { search: '?query=a&variables={', headers: { accept: 'text/event-stream' } }),
          400,
          'BAD_REQUEST',
        ],
      ])('%s', async (_name, request, status, code) => {
        await start();
        const response = await request();
        expect(await codeOf(response)).toEqual([status, code]);
        if (status === 405) expect(response.headers.get('allow')).toMatch(/GET|POST/);
      });

      it.each<[string, unknown]>([
        ['no operation id', undefined],
        ['an empty one', ''],
        ['one that is no text', 7],
        ['one that is too long', 'x'.repeat(129)],
      ])('%s', async (_name, id) => {
        await start();
        expect(await bad(id)).toEqual([400, 'BAD_REQUEST']);
      });

      it('a document that does not parse is refused, not accepted', async () => {
        await start();
        expect(await bad('one', 'broken')).toEqual([400, 'GRAPHQL_PARSE_FAILED']);
      });

      it('a token of another viewer', async () => {
        await start();
        const foreign = { authorization: 'Bearer customer.c2' };
        expect(await bad('one', SUBSCRIPTION, foreign)).toEqual([404, 'NOT_FOUND']);
      });

      it('an operation id that is in use', async () => {
        await start();
        const token = await reserve();
        await operate(token, 'one');
        expect(await codeOf(await operate(token, 'one'))).toEqual([409, 'CONFLICT']);
      });

      it('more operations than one stream may have', async () => {
        await start();
        const token = await reserve();
        for (const id of ['one', 'two', 'three']) expect((await operate(token, id)).status).toBe(202);
        expect(await codeOf(await operate(token, 'four'))).toEqual([429, 'TOO_MANY_SUBSCRIPTIONS']);
      });

      it('a second stream for one reservation', async () => {
        await start();
        const token = await reserve();
        await openReserved(token);
        const second = await openReserved(token);
        expect(second.response.status).toBe(409);
      });

      it('none of them costs the open stream anything', async () => {
        await start();
        const token = await reserve();
        const stream = await openReserved(token);
        await operate(token, 'one');
        await operate(token, 'one');
        await operate(token, 7);
        await operate(token, 'x', 'broken');
        only().sink.deliver(new FrameBatch([change(1)]));
        await until(() => stream.text.includes('"id":"one"'), { what: 'the message' });
      });
    });
  });
});
