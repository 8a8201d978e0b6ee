/** Promise: rights, revocations and limits take effect on running connections at once. */
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { signToken, type Role } from '../../scripts/token/sign-token.ts';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { liveCounts } from '../harness/live-counts.ts';
import { openRawWebSocket, type RawWebSocket } from '../harness/raw-websocket.ts';
import { startEmbedded, testSecrets, type EmbeddedPlatform } from '../harness/running-platform.ts';
import { watchSse } from '../harness/watch.ts';

const ORDERS = 'subscription { orders { id status } }';
/** Forbidden to customers other than Bert. */
const ORDERS_OF_BERT = 'subscription { orders(filter: { customerId: "bert" }) { id status } }';
const MINUTE_MS = 60_000;

interface Next {
  readonly key: string;
  readonly version: number;
}

describe('access to a connection', () => {
  let platform: EmbeddedPlatform;
  let productId: string;

  afterEach(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    platform = await startEmbedded(env);
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  }

  const sign = (sub: string, role: Role, tokenId?: string, ttlMs = 10 * MINUTE_MS): Promise<string> =>
    signToken({
      sub,
      role,
      ttlMs,
      secret: testSecrets.JWT_SECRET,
      ...(tokenId !== undefined && { tokenId }),
    });

  const open = (token: string) => openRawWebSocket(platform.webUrl, { token });

  async function subscribed(token: string, query = ORDERS): Promise<RawWebSocket> {
    const connection = await open(token);
    connection.send({ type: 'subscribe', id: 'a', payload: { query } });
    await until(() => connection.of('ping').length > 0, { what: 'the subscription' });
    return connection;
  }

  const place = async (sub: string): Promise<string> =>
    (await placeOrder(platform.webUrl, await sign(sub, 'customer'), [{ productId, quantity: 1 }])).orderId;

  const nextOf = (connection: RawWebSocket): Next[] =>
    connection.of('next').map(({ payload }) => (payload as unknown as { extensions: Next }).extensions);

  const keys = (connection: RawWebSocket): Set<string> => new Set(nextOf(connection).map(({ key }) => key));

  async function renew(connection: RawWebSocket, token: string): Promise<void> {
    const before = connection.of('pong').length;
    connection.send({ type: 'ping', payload: { tidegate: { authorization: `Bearer ${token}` } } });
    await until(() => connection.of('pong').length > before, { what: 'the answer' });
  }

  function revoke(body: object, token: string): Promise<Response> {
    return fetch(`${platform.webUrl}/api/access/revocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  }

  it('applies the rights of a renewed token to a running subscription', async () => {
    await start();
    const connection = await subscribed(await sign('anna', 'customer'));
    const own = await place('anna');
    const foreign = await place('bert');
    await until(() => keys(connection).has(own), { what: 'the own order' });
    await renew(connection, await sign('anna', 'operator'));
    const seenAsOperator = await place('bert');
    await until(() => keys(connection).has(seenAsOperator), { what: 'another customer’s order' });
    await renew(connection, await sign('anna', 'customer'));
    const unseen = await place('bert');
    const again = await place('anna');
    const delivered = (): boolean => nextOf(connection).filter(({ key }) => key === again).length >= 5;
    await until(delivered, { what: 'the own order, to its end', timeoutMs: 15_000 });
    expect(keys(connection).has(unseen)).toBe(false);
    expect(connection.closed()).toBeUndefined();
    // Changes of an order from before the renewal must not appear; its later changes may.
    expect(
      nextOf(connection).find(({ key, version }) => key === foreign && version === 1),
      'a change from before the renewal',
    ).toBeUndefined();
    for (const key of [own, again]) {
      const versions = nextOf(connection).filter((next) => next.key === key);
      expect(versions.map(({ version }) => version)).toEqual(versions.map((_, index) => index + 1));
    }
  });

  it('ends a subscription that the new rights forbid with FORBIDDEN and keeps the connection', async () => {
    await start();
    const connection = await subscribed(await sign('anna', 'operator'), ORDERS_OF_BERT);
    await renew(connection, await sign('anna', 'customer'));
    const [error] = await until(() => connection.of('error').length > 0 && connection.of('error'), {
      what: 'the error',
    });
    expect(error).toMatchObject({ id: 'a', payload: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect(connection.closed()).toBeUndefined();
    connection.send({ type: 'subscribe', id: 'a', payload: { query: ORDERS } });
    await until(() => connection.of('ping').length > 1, { what: 'the subscription' });
    const own = await place('anna');
    await until(() => keys(connection).has(own), { what: 'the own order' });
  });

  it('applies the rights of a renewed token to a stream of single connection mode', async () => {
    await start();
    const url = `${platform.webUrl}/graphql/web`;
    const operator = await sign('anna', 'operator');
    const customer = await sign('anna', 'customer', undefined, 20 * MINUTE_MS);
    const left = new AbortController();
    const request = (token: string, method: string, extra: Record<string, string>, body?: object) =>
      fetch(url, {
        method,
        signal: left.signal,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...extra },
        ...(body && { body: JSON.stringify(body) }),
      });
    const streamToken = await (await request(operator, 'PUT', {})).text();
    const named = { 'x-graphql-event-stream-token': streamToken };
    const stream = await request(operator, 'GET', { ...named, accept: 'text/event-stream' });
    let text = '';
    const read = (async () => {
      for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) text += chunk;
    })().catch(() => undefined);
    const started = await request(operator, 'POST', named, {
      query: ORDERS_OF_BERT,
      extensions: { operationId: 'a' },
    });
    expect(started.status).toBe(202);
    await until(() => text.includes('cursors'), { what: 'the subscription' });
    // Any request with the newer token renews the stream's rights.
    await request(customer, 'DELETE', named);
    await until(() => text.includes('FORBIDDEN'), { what: 'the end of the operation' });
    // An older token does not restore the former rights.
    const back = await request(operator, 'POST', named, { query: ORDERS, extensions: { operationId: 'b' } });
    expect(back.status).toBe(404);
    left.abort();
    await read;
  });

  it('refuses a revoked token and ends its connections and streams at once', async () => {
    await start();
    const operator = await sign('root', 'operator');
    const [stolen, kept] = [await sign('anna', 'customer', 'stolen'), await sign('anna', 'customer', 'kept')];
    const [victim, sibling] = [await subscribed(stolen), await subscribed(kept)];
    const stream = watchSse(`${platform.webUrl}/graphql/web`, stolen, { query: ORDERS });
    await until(async () => (await liveCounts(platform.webUrl)).connections === 3, { what: 'the stream' });

    expect((await revoke({ tokenId: 'stolen' }, kept)).status).toBe(403);
    expect((await revoke({ tokenId: 'stolen', subject: 'anna' }, operator)).status).toBe(400);
    const answer = await revoke({ tokenId: 'stolen' }, operator);
    expect([answer.status, await answer.json()]).toEqual([
      201,
      expect.objectContaining({ kind: 'token', tokenId: 'stolen' }),
    ]);

    expect(await victim.end()).toBe(4401);
    expect(await stream.closed).toBeInstanceOf(Error);
    expect((await open(stolen)).closed()).toBe(4401);
    const own = await place('anna');
    await until(() => keys(sibling).has(own), { what: 'the other token to go on' });

    // The revocation survives kill -9.
    await platform.killAndRestart();
    expect((await open(stolen)).closed()).toBe(4401);
    expect((await open(kept)).of('connection_ack')).toHaveLength(1);
  });

  it('refuses all earlier tokens of a revoked subject and accepts later ones', async () => {
    await start();
    const operator = await sign('root', 'operator');
    const old = await sign('anna', 'customer');
    const [anna, bert] = [await subscribed(old), await subscribed(await sign('bert', 'customer'))];
    expect((await revoke({ subject: 'anna' }, operator)).status).toBe(201);
    const second = Math.floor(Date.now() / 1000);
    expect(await anna.end()).toBe(4401);
    expect((await open(old)).closed()).toBe(4401);
    await until(() => Math.floor(Date.now() / 1000) > second, { what: 'the next second' });
    expect((await open(await sign('anna', 'customer'))).of('connection_ack')).toHaveLength(1);
    expect(bert.closed()).toBeUndefined();
  });

  it('limits the connections of a viewer and the subscriptions over all of them', async () => {
    await start({ MAX_CONNECTIONS_PER_VIEWER: '3', MAX_SUBSCRIPTIONS_PER_VIEWER: '2' });
    const token = await sign('anna', 'customer');
    const first = await subscribed(token);
    const second = await open(token);
    const stream = watchSse(`${platform.webUrl}/graphql/web`, token, { query: ORDERS });
    await until(async () => (await liveCounts(platform.webUrl)).subscriptions >= 2, { what: 'the stream' });
    expect((await open(token)).closed()).toBe(4429);
    second.send({ type: 'subscribe', id: 'b', payload: { query: ORDERS } });
    const [error] = await until(() => second.of('error').length > 0 && second.of('error'), {
      what: 'the error',
    });
    expect(error).toMatchObject({ id: 'b', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } }] });
    expect((await open(await sign('bert', 'customer'))).of('connection_ack')).toHaveLength(1);
    // A freed place can be taken again.
    first.send({ type: 'complete', id: 'a' });
    second.send({ type: 'subscribe', id: 'c', payload: { query: ORDERS } });
    await until(() => second.of('ping').length > 0, { what: 'the subscription' });
    first.socket.close();
    await until(async () => (await open(token)).closed() === undefined, { what: 'a free place' });
    const { text } = await fetch(`${platform.webUrl}/metrics`).then(async (r) => ({ text: await r.text() }));
    expect(text).toMatch(/tidegate_edge_refusals_total\{reason="connections-per-viewer"\} \d/);
    stream.stop();
  });

  it('refuses an address with too many connections by HTTP 429 before the upgrade', async () => {
    await start({ MAX_CONNECTIONS_PER_ADDRESS: '2', TRUSTED_PROXIES: '127.0.0.1' });
    const from = (address: string) =>
      openRawWebSocket(platform.webUrl, { headers: { 'x-forwarded-for': address } });
    const [one] = [await from('192.0.2.1'), await from('192.0.2.1')];
    expect((await from('192.0.2.1')).closed()).toBe(429);
    expect((await from('192.0.2.2')).closed()).toBeUndefined();
    one.socket.close();
    await until(async () => (await from('192.0.2.1')).closed() === undefined, { what: 'a free place' });
  });

  it('closes a connection at its maximum age with 4509 without losing a change', async () => {
    await start({ MAX_CONNECTION_AGE_MS: '1500' });
    const token = await sign('anna', 'customer');
    const stream = watchSse(`${platform.webUrl}/graphql/web`, token, { query: ORDERS });
    const openedAt = Date.now();
    const aging = await subscribed(token);
    const placed = await place('anna');
    expect(await aging.end()).toBe(4509);
    expect(Date.now() - openedAt).toBeGreaterThanOrEqual(1_150);
    expect(await stream.closed).toBeInstanceOf(Error);

    const last = aging.of('next').at(-1)?.payload as unknown as
      | { extensions: { cursor: string } }
      | undefined;
    const again = await open(token);
    again.send({
      type: 'subscribe',
      id: 'a',
      payload: { query: ORDERS, extensions: { cursor: last?.extensions.cursor } },
    });
    const versions = (): number[] =>
      [...nextOf(aging), ...nextOf(again)].filter(({ key }) => key === placed).map(({ version }) => version);
    await until(() => versions().length >= 4, { what: 'the rest of the order' });
    expect(versions()).toEqual(versions().map((_, index) => index + 1));
  });

  it('lets pages of allowed origins connect and read answers, and no others', async () => {
    await start({ ALLOWED_ORIGINS: 'https://shop.example' });
    const connect = (origin: string) => openRawWebSocket(platform.webUrl, { headers: { origin } });
    const request = (origin: string, method = 'POST') =>
      fetch(`${platform.webUrl}/graphql/web`, {
        method,
        headers: {
          origin,
          'content-type': 'application/json',
          ...(method === 'OPTIONS' && { 'access-control-request-method': 'POST' }),
        },
        ...(method === 'POST' && { body: JSON.stringify({ query: '{ me { id } }' }) }),
      }).then(({ headers, status }) => [status, headers.get('access-control-allow-origin')]);
    expect((await connect('https://shop.example')).closed()).toBeUndefined();
    expect((await connect('https://evil.example')).closed()).toBe(403);
    expect(await request('https://shop.example', 'OPTIONS')).toEqual([204, 'https://shop.example']);
    expect(await request('https://evil.example', 'OPTIONS')).toEqual([204, null]);
    expect(await request('https://shop.example')).toEqual([200, 'https://shop.example']);
    expect(await request('https://evil.example')).toEqual([200, null]);
  });
});
