import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { AlarmRaised, CounterDocumentChanged } from '@tidegate/testing/sample-messages';
import { topicSpecs } from '@tidegate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createGateway, type Gateway } from './gateway.ts';
import { allCounters, createCounterBff, fixtureVerifier } from './webhooks/counter-bff.fixture.ts';
import type { WebhookTables } from './webhooks/tables.ts';

interface Answer {
  readonly errors: readonly {
    readonly extensions: { readonly code: string; readonly retryAfterMs: number };
  }[];
}

const MEMBER = { authorization: 'Bearer member-7' };
const QUERY = '?query={__typename}';

describe('a viewer beyond its request rate', () => {
  let log: EventLog;
  let gateway: Gateway | undefined;
  const database = createSqliteDatabase<WebhookTables>({ path: ':memory:' });

  beforeEach(async () => {
    log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await log.ensureTopics(topicSpecs([AlarmRaised.topic, CounterDocumentChanged.topic], 1));
  });

  afterEach(async () => {
    await gateway?.stop();
    await log.close();
  });

  async function start(limits: { maxCostPerViewer?: number; maxCostPerAddress?: number }): Promise<void> {
    gateway = createGateway({
      bffs: [createCounterBff()],
      log,
      auth: fixtureVerifier,
      cursorSecrets: ['a secret of at least thirty-two characters'],
      limits: { drainWindowMs: 0, maxCostPerViewer: 0, maxCostPerAddress: 0, ...limits },
      webhooks: {
        database,
        allowPrivateTargets: true,
        secretKeys: ['a key of webhook secrets, for tests only'],
      },
    });
    await gateway.start(AbortSignal.timeout(10_000));
  }

  const ask = (
    path = QUERY,
    { headers, ...init }: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response> =>
    fetch(`${gateway!.url}/graphql/web${path}`, { ...init, headers: { ...MEMBER, ...headers } });

  const retryAfterMs = expect.toSatisfy((value: number) => value > 0 && value <= 60_000);
  const refused = { extensions: { code: 'RATE_LIMITED', retryAfterMs } };

  it('is answered 429 over HTTP, with Retry-After and the rate limit in the headers', async () => {
    await start({ maxCostPerViewer: 2 });
    const first = await ask();
    expect(first.status).toBe(200);
    expect(first.headers.get('ratelimit-policy')).toBe('"viewer";q=2;w=60');
    expect(first.headers.get('ratelimit')).toBe('"viewer";r=1;t=30');
    await ask();
    const third = await ask();
    expect(third.status).toBe(429);
    expect(third.headers.get('retry-after')).toBe('30');
    expect(third.headers.get('ratelimit')).toMatch(/^"viewer";r=0;t=(59|60)$/);
    expect(((await third.json()) as Answer).errors).toMatchObject([refused]);
  });

  it('gets the operation error over an event stream, which EventSource can read', async () => {
    await start({ maxCostPerViewer: 1 });
    await ask();
    const query = `?query=${encodeURIComponent(allCounters)}`;
    const stream = await ask(query, { headers: { accept: 'text/event-stream' } });
    expect(stream.status).toBe(200);
    const text = await stream.text();
    expect(text).toContain('"code":"RATE_LIMITED"');
    expect(text).toContain('"retryAfterMs":');
    expect(text).toContain('event: complete');
  });

  it('can neither reserve a stream nor start an operation on one', async () => {
    await start({ maxCostPerViewer: 1 });
    const token = await (await ask('', { method: 'PUT' })).text();
    expect((await ask('', { method: 'PUT' })).status).toBe(429);
    const operation = await ask('', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-graphql-event-stream-token': token },
      body: JSON.stringify({ query: allCounters, extensions: { operationId: 'a' } }),
    });
    expect(operation.status).toBe(429);
    expect(((await operation.json()) as Answer).errors).toMatchObject([refused]);
    const stop = await ask(`?token=${token}&operationId=a`, { method: 'DELETE' });
    expect(stop.status).toBe(200);
  });

  it('gets the operation error over WebSocket; the connection and its subscriptions continue', async () => {
    await start({ maxCostPerViewer: 1 });
    const socket = new WebSocket(`${gateway!.url.replace('http', 'ws')}/graphql/web`, 'graphql-transport-ws');
    const received: { type: string; id?: string; payload?: unknown }[] = [];
    socket.on('message', (data) => received.push(JSON.parse((data as Buffer).toString()) as never));
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: MEMBER })));
    await until(() => received.length > 0, { what: 'the acknowledgement' });
    for (const id of ['one', 'two'])
      socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query: allCounters } }));
    await until(() => received.some(({ type }) => type === 'error'), { what: 'the refusal' });
    expect(received.filter(({ type }) => type === 'error')).toMatchObject([
      { id: 'two', payload: [refused] },
    ]);
    expect(gateway!.hub.subscriptions).toBe(2);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  it('cannot register a webhook', async () => {
    await start({ maxCostPerViewer: 1 });
    const register = (): Promise<Response> =>
      fetch(`${gateway!.url}/webhooks/endpoints`, {
        method: 'POST',
        headers: { authorization: 'Bearer partner-acme', 'content-type': 'application/json' },
        body: JSON.stringify({ url: 'http://127.0.0.1:1/', document: allCounters }),
      });
    const first = await register();
    expect(first.status).toBe(201);
    expect(first.headers.get('ratelimit')).toBe('"viewer";r=0;t=60');
    const second = await register();
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('60');
    expect(await second.json()).toMatchObject({ error: { code: 'RATE_LIMITED', details: { retryAfterMs } } });
  });

  it('is one of its address: clients without a token share the rate of their address', async () => {
    await start({ maxCostPerAddress: 2 });
    const anonymously = (): Promise<Response> => fetch(`${gateway!.url}/graphql/web${QUERY}`);
    expect((await anonymously()).status).toBe(200);
    expect((await ask()).status).toBe(200);
    expect((await anonymously()).status).toBe(429);
    expect((await ask()).status).toBe(429);
  });

  it('is still served health and metrics', async () => {
    await start({ maxCostPerAddress: 1 });
    for (let count = 0; count < 3; count++) await ask();
    expect((await fetch(`${gateway!.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${gateway!.url}/readyz`)).status).toBe(200);
  });
});

describe('reservations of event streams', () => {
  it('of one address cannot take the places of others', async () => {
    const log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await log.ensureTopics(topicSpecs([AlarmRaised.topic, CounterDocumentChanged.topic], 1));
    const gateway = createGateway({
      bffs: [createCounterBff()],
      log,
      auth: fixtureVerifier,
      cursorSecrets: ['a secret of at least thirty-two characters'],
      limits: { drainWindowMs: 0, maxReservationsPerAddress: 5, maxReservationsPerViewer: 2 },
      trustedProxies: ['127.0.0.1'],
    });
    await gateway.start(AbortSignal.timeout(10_000));
    const put = async (address: string, headers = {}): Promise<Response> =>
      fetch(`${gateway.url}/graphql/web`, {
        method: 'PUT',
        headers: { 'x-forwarded-for': address, ...headers },
      });
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async () => (await put('192.0.2.1')).status),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(3);
    const refused = (await (await put('192.0.2.1')).json()) as Answer;
    expect(refused.errors[0]!.extensions).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 1_000 });
    expect((await put('192.0.2.2', MEMBER)).status).toBe(201);
    const token = await (await put('192.0.2.3', MEMBER)).text();
    expect((await put('192.0.2.4', MEMBER)).status).toBe(429);
    // An open stream is a connection, no longer a reservation.
    const controller = new AbortController();
    const headers = { accept: 'text/event-stream', ...MEMBER };
    await fetch(`${gateway.url}/graphql/web?token=${token}`, { headers, signal: controller.signal });
    expect((await put('192.0.2.4', MEMBER)).status).toBe(201);
    controller.abort();
    await gateway.stop();
    await log.close();
  });
});
