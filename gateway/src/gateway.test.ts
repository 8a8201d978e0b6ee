import type { EventLog } from '@tidegate/event-log';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { startHttpServer } from '@tidegate/runtime/http';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { override } from '@tidegate/testing';
import { AlarmRaised, CounterDocumentChanged } from '@tidegate/testing/sample-messages';
import { topicSpecs } from '@tidegate/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGateway, type Gateway } from './gateway.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { createCounterBff, fixtureVerifier } from './webhooks/counter-bff.fixture.ts';
import type { WebhookTables } from './webhooks/tables.ts';

describe('a gateway', () => {
  let log: EventLog;
  let gateway: Gateway | undefined;

  beforeEach(async () => {
    log = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
    await log.ensureTopics(topicSpecs([AlarmRaised.topic, CounterDocumentChanged.topic], 1));
  });

  afterEach(async () => {
    await gateway?.stop();
    await log.close();
  });

  function create(options: Partial<GatewayOptions> = {}): Gateway {
    return createGateway({
      bffs: [createCounterBff()],
      log,
      auth: fixtureVerifier,
      cursorSecrets: ['a secret of at least thirty-two characters'],
      limits: { drainWindowMs: 0 },
      ...options,
    });
  }

  async function start(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
    gateway = create(options);
    await gateway.start(AbortSignal.timeout(10_000));
    return gateway;
  }

  const statusOf = async (path: string): Promise<number> => (await fetch(`${gateway!.url}${path}`)).status;

  it('serves GraphQL, health and revocations on a server of its own', async () => {
    await start();
    expect(await statusOf('/graphql/web?query={__typename}')).toBe(200);
    expect(await statusOf('/healthz')).toBe(200);
    const ready = await fetch(`${gateway!.url}/readyz`);
    expect(await ready.json()).toEqual({ status: 'ready', checks: { 'live hub': { ok: true } } });
    expect(await (await fetch(`${gateway!.url}/metrics`)).text()).toContain('tidegate_live_');
    expect(await statusOf('/api/access/revocations')).toBe(405);
  });

  it('answers 404 to the paths of parts that it was not given', async () => {
    await start();
    for (const path of ['/', '/asyncapi.json', '/webhooks/openapi.json', '/graphql/other']) {
      expect(await statusOf(path), path).toBe(404);
    }
  });

  it('serves AsyncAPI, the webhook registry and further routes when they are given', async () => {
    const database = createSqliteDatabase<WebhookTables>({ path: ':memory:' });
    await start({
      asyncApi: { title: 'Counters', messages: [CounterDocumentChanged] },
      webhooks: { database, secretKeys: ['a key for tests, at least 32 characters'] },
      routes: [async (request) => (request.url.endsWith('/hello') ? new Response('hello') : undefined)],
    });
    const document = (await (await fetch(`${gateway!.url}/asyncapi.json`)).json()) as { channels: object };
    expect(Object.keys(document.channels)).toEqual([CounterDocumentChanged.topic.name, 'access.revocations']);
    expect(await statusOf('/webhooks/openapi.json')).toBe(200);
    const headers = { authorization: 'Bearer partner-acme' };
    expect((await fetch(`${gateway!.url}/webhooks/endpoints`, { headers })).status).toBe(200);
    expect(await statusOf('/hello')).toBe(200);
    await database.close();
  });

  it('serves on a given server, and leaves it open when it stops', async () => {
    const server = await startHttpServer({ logger: silentLogger });
    expect((await fetch(`${server.url}/graphql/web`)).status).toBe(503);
    await start({ server });
    expect(gateway!.url).toBe(server.url);
    expect(await statusOf('/graphql/web?query={__typename}')).toBe(200);
    await gateway!.stop();
    expect(await statusOf('/graphql/web?query={__typename}')).toBe(200);
    await server.stop(0);
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
  });

  it('serves AsyncAPI to operators only when they have a server of their own', async () => {
    const operations = await startHttpServer({ logger: silentLogger });
    await start({ operations, asyncApi: { title: 'Counters', messages: [CounterDocumentChanged] } });
    expect(await statusOf('/asyncapi.json')).toBe(404);
    expect((await fetch(`${operations.url}/asyncapi.json`)).status).toBe(200);
    await operations.stop(0);
  });

  it('compresses the answers of GraphQL and of routes', async () => {
    await start({ asyncApi: { title: 'Counters', messages: [CounterDocumentChanged] } });
    for (const path of [
      '/graphql/web?query={__schema{types{name,fields{name,description}}}}',
      '/asyncapi.json',
    ]) {
      const { headers } = await fetch(`${gateway!.url}${path}`, { headers: { 'accept-encoding': 'br' } });
      expect(headers.get('content-encoding'), path).toBe('br');
      expect(headers.get('vary')?.toLowerCase(), path).toContain('accept-encoding');
    }
  });

  it('may be started again after a start that failed', async () => {
    let away = true;
    const ends: EventLog['ends'] = (topic) =>
      away ? Promise.reject(new Error('the log is away')) : log.ends(topic);
    gateway = create({ log: override(log, { ends }) });
    expect(() => gateway!.url).toThrow('no address before it is started');
    await expect(gateway.start(AbortSignal.timeout(10_000))).rejects.toThrow('the log is away');
    expect(await statusOf('/readyz')).toBe(503);
    expect(await statusOf('/graphql/web')).toBe(503);
    away = false;
    await gateway.start(AbortSignal.timeout(10_000));
    expect(await statusOf('/readyz')).toBe(200);
  });
});
