/** Promise: a connection resumes from its position, is renewed with a new token, and ends with the right close code. */
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signToken } from '../../scripts/token/sign-token.ts';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { openRawWebSocket } from '../harness/raw-websocket.ts';
import { startEmbedded, testSecrets, type EmbeddedPlatform } from '../harness/running-platform.ts';

const sign = (ttlMs: number, sub = 'customer-1') =>
  signToken({ sub, role: 'customer', ttlMs, secret: testSecrets.JWT_SECRET });

describe('a connection', () => {
  let platform: EmbeddedPlatform;
  let productId: string;

  beforeEach(async () => {
    platform = await startEmbedded();
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  });

  afterEach(async () => {
    await platform[Symbol.asyncDispose]();
  });

  const connect = async (tokenTtlMs: number) =>
    openRawWebSocket(platform.webUrl, { token: await sign(tokenTtlMs) });

  const place = async (): Promise<string> =>
    (await placeOrder(platform.webUrl, await sign(60_000), [{ productId, quantity: 1 }])).orderId;

  it('gets its first position as soon as a subscription is live and resumes from it', async () => {
    const client = await connect(60_000);
    client.send({ type: 'subscribe', id: 'a', payload: { query: 'subscription { orders { id } }' } });
    const ping = await until(() => client.of('ping')[0], { what: 'the first position' });
    const { cursors } = (ping.payload as never as { tidegate: { cursors: Record<string, string> } }).tidegate;
    client.socket.close();
    const orderId = await place();

    const again = await connect(60_000);
    again.send({
      type: 'subscribe',
      id: 'b',
      payload: { query: 'subscription { orders { id } }', extensions: { cursor: cursors['a'] } },
    });
    const first = await until(() => again.of('next')[0], { what: 'the missed change' });
    expect((first.payload as never as { data: { orders: { id: string } } }).data.orders.id).toBe(orderId);
    again.socket.close();
  });

  it('outlives its token when renewed in time and is closed with 4401 otherwise', async () => {
    const client = await connect(4_000);
    client.send({ type: 'subscribe', id: 'a', payload: { query: 'subscription { orders { id } }' } });
    await until(() => client.of('ping').length > 0, { what: 'the subscription' });
    client.send({ type: 'ping', payload: { tidegate: { authorization: `Bearer ${await sign(10_000)}` } } });
    const pong = await until(() => client.of('pong')[0], { what: 'the answer' });
    const { expiresAt } = (pong.payload as never as { tidegate: { expiresAt: string } }).tidegate;
    const firstEnd = Date.now() + 4_500;
    expect(Date.parse(expiresAt)).toBeGreaterThan(firstEnd);
    await until(() => Date.now() > firstEnd, { what: 'the end of the first token' });
    const orderId = await place();
    await until(() => JSON.stringify(client.of('next')).includes(orderId), { what: 'a change after it' });
    await until(() => client.closed(), { what: 'the end of the second token', timeoutMs: 15_000 });
    expect(client.closed()).toBe(4401);
  });

  it('is closed with 4403 when renewed with another subject’s token', async () => {
    const client = await connect(60_000);
    const authorization = `Bearer ${await sign(60_000, 'customer-2')}`;
    client.send({ type: 'ping', payload: { tidegate: { authorization } } });
    await until(() => client.closed(), { what: 'the close' });
    expect(client.closed()).toBe(4403);
  });

  it('is closed with 4509 when the server drains', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => connect(60_000)));
    platform.child.kill('SIGTERM').catch(() => undefined);
    await until(() => clients.every((client) => client.closed()), { what: 'every close' });
    expect(clients.map((client) => client.closed())).toEqual([4509, 4509, 4509]);
    expect((await platform.child.exited).code).toBe(0);
  });
});
