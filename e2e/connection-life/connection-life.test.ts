import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signToken } from '../../scripts/token/sign-token.ts';
import { placeOrder, productIds } from '../harness/graphql.ts';
import { startEmbedded, testSecrets, type EmbeddedPlatform } from '../harness/running-platform.ts';

interface Message {
  readonly type: string;
  readonly id?: string;
  readonly payload?: Record<string, never>;
}

/** A client that speaks the protocol by hand, to see exactly what is sent. */
async function connect(url: string, token: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql/web`, 'graphql-transport-ws');
  const messages: Message[] = [];
  let closed: { code: number } | undefined;
  socket.addEventListener('message', ({ data }) => messages.push(JSON.parse(String(data)) as Message));
  socket.addEventListener('close', ({ code }) => (closed = { code }));
  await until(() => socket.readyState === WebSocket.OPEN, { what: 'the connection' });
  const send = (message: unknown): void => socket.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  await until(() => messages.some(({ type }) => type === 'connection_ack'), { what: 'the acknowledgement' });
  const of = (type: string): Message[] => messages.filter((message) => message.type === type);
  return { socket, send, of, closed: () => closed };
}

const sign = (ttlMs: number, sub = 'customer-1') =>
  signToken({ sub, role: 'customer', ttlMs, secret: testSecrets.JWT_SECRET });

describe('a connection', () => {
  let platform: EmbeddedPlatform;
  let productId: string;

  beforeEach(async () => {
    platform = await startEmbedded();
    await until(async () => (await productIds(platform.webUrl)).length === 40, { what: 'the catalogue' });
    [productId] = (await productIds(platform.webUrl)) as [string];
  });

  afterEach(async () => {
    await platform[Symbol.asyncDispose]();
  });

  const place = async (): Promise<string> =>
    (await placeOrder(platform.webUrl, await sign(60_000), [{ productId, quantity: 1 }])).orderId;

  it('is told where it stands as soon as a subscription is live, and goes on from there', async () => {
    const client = await connect(platform.webUrl, await sign(60_000));
    client.send({ type: 'subscribe', id: 'a', payload: { query: 'subscription { orders { id } }' } });
    const ping = await until(() => client.of('ping')[0], { what: 'the first position' });
    const { cursor } = {
      cursor: (ping.payload as never as { tidegate: { cursors: Record<string, string> } }).tidegate.cursors[
        'a'
      ],
    };
    client.socket.close();
    const orderId = await place();

    const again = await connect(platform.webUrl, await sign(60_000));
    again.send({
      type: 'subscribe',
      id: 'b',
      payload: { query: 'subscription { orders { id } }', extensions: { cursor } },
    });
    const first = await until(() => again.of('next')[0], { what: 'what was missed' });
    expect((first.payload as never as { data: { orders: { id: string } } }).data.orders.id).toBe(orderId);
    again.socket.close();
  });

  it('outlives its token when the token is renewed in time, and is closed with 4401 when it is not', async () => {
    const client = await connect(platform.webUrl, await sign(4_000));
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
    expect(client.closed()?.code).toBe(4401);
  });

  it('is closed when it is given somebody else’s token', async () => {
    const client = await connect(platform.webUrl, await sign(60_000));
    const authorization = `Bearer ${await sign(60_000, 'customer-2')}`;
    client.send({ type: 'ping', payload: { tidegate: { authorization } } });
    await until(() => client.closed(), { what: 'the close' });
    expect(client.closed()?.code).toBe(4403);
  });

  it('is asked to come back with 4509 when the server drains', async () => {
    const clients = await Promise.all(
      [1, 2, 3].map(async () => connect(platform.webUrl, await sign(60_000))),
    );
    platform.child.kill('SIGTERM').catch(() => undefined);
    await until(() => clients.every((client) => client.closed()), { what: 'every close' });
    expect(clients.map((client) => client.closed()?.code)).toEqual([4509, 4509, 4509]);
    expect((await platform.child.exited).code).toBe(0);
  });
});
