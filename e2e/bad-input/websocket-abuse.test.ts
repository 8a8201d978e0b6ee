import { connect as connectSocket, type Socket } from 'node:net';
import { until } from '@tidegate/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { placeOrder, productIds, watchWebSocket, webSocketClient } from '../harness/graphql.ts';
import { liveCounts, type LiveCounts } from '../harness/live-counts.ts';
import { openRawWebSocket, type RawWebSocketOptions } from '../harness/raw-websocket.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';

const ORDERS = 'subscription { orders { id status version } }';
/** Of one order, from placed to delivered: enough to meet what is done meanwhile. */
const FINAL = 'DELIVERED';

const HEAD = 'GET /graphql/web HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n';
const UPGRADE = `${HEAD}sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;

describe('what is not of the protocol ends with its code, and costs no other client anything:', () => {
  let platform: EmbeddedPlatform;
  let customer: string;
  let productId: string;
  let before: LiveCounts;
  let healthy: ReturnType<typeof watchWebSocket>;
  let client: ReturnType<typeof webSocketClient>;
  let interruptions: unknown[];
  const rawSockets: Socket[] = [];

  beforeAll(async () => {
    platform = await startEmbedded();
    customer = await platform.token('customer-1', 'customer');
    await until(async () => (await productIds(platform.webUrl)).length === 40, { what: 'the catalogue' });
    [productId] = (await productIds(platform.webUrl)) as [string];
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  /** A healthy client is there before, and stays. */
  beforeEach(async () => {
    before = await liveCounts(platform.webUrl);
    interruptions = [];
    client = webSocketClient(
      `${platform.webUrl}/graphql/web`,
      await platform.token('operator-1', 'operator'),
    );
    client.on('closed', (event) => interruptions.push((event as { code: number }).code));
    healthy = watchWebSocket(client, { query: ORDERS });
    const subscribed = async (): Promise<boolean> =>
      (await liveCounts(platform.webUrl)).subscriptions === before.subscriptions + 1;
    await until(subscribed, { what: 'the healthy client' });
  });

  /** Whatever happened: every change once, in order, on the connection of the beginning, and nothing is left. */
  afterEach(async () => {
    const placed = await Promise.all([1, 2, 3].map(() => place()));
    const statuses = (key: string) =>
      healthy.seen
        .filter((seen) => seen.key === key)
        .map(({ data }) => (data as unknown as { orders: { status: string } }).orders.status);
    await until(() => placed.every((id) => statuses(id).includes(FINAL)), {
      what: 'every order to be seen to its end',
      timeoutMs: 20_000,
    });
    for (const key of new Set(healthy.seen.map((seen) => seen.key))) {
      const versions = healthy.seen.filter((seen) => seen.key === key).map(({ version }) => version);
      // oxlint-disable-next-line vitest/no-standalone-expect -- what every test here promises beside its own
      expect(versions, `the versions of ${key}`).toEqual(versions.map((_, index) => index + 1));
    }
    // oxlint-disable-next-line vitest/no-standalone-expect -- as above
    expect(interruptions).toEqual([]);
    healthy.stop();
    await client.dispose();
    for (const socket of rawSockets.splice(0)) socket.destroy();
    await until(async () => JSON.stringify(await liveCounts(platform.webUrl)) === JSON.stringify(before), {
      what: 'connections, subscriptions and groups to be as before',
      timeoutMs: 15_000,
    });
  });

  const place = async (): Promise<string> =>
    (await placeOrder(platform.webUrl, customer, [{ productId, quantity: 1 }])).orderId;

  const open = (options: RawWebSocketOptions = {}) => openRawWebSocket(platform.webUrl, options);
  const subscribe = (id: string, query = ORDERS) => ({ type: 'subscribe', id, payload: { query } });

  /** One that is acknowledged and has a subscription of its own, which its end has to end. */
  async function subscribed() {
    const bad = await open({ token: customer });
    bad.send(subscribe('its own'));
    await until(() => bad.of('ping').length > 0, { what: 'the subscription' });
    return bad;
  }

  it.each<[string, string | Buffer | object, number]>([
    ['a frame that is not JSON', '{"type":', 4400],
    ['a frame that is JSON and no message', '[1,2,3]', 4400],
    ['a message of an unknown type', { type: 'shout' }, 4400],
    ['a message of no type', { id: 'a' }, 4400],
    ['a subscribe without an id', { type: 'subscribe', payload: { query: ORDERS } }, 4400],
    ['a subscribe with an empty id', subscribe(''), 4400],
    ['a binary frame', Buffer.from('{"type":"ping"}'), 4400],
    ['an operation id that is in use', subscribe('its own'), 4409],
    ['a second connection_init', { type: 'connection_init' }, 4429],
    ['a document of 1 MB', subscribe('large', `{ me { id } } #${'x'.repeat(1_000_000)}`), 1009],
  ])('%s', async (_title, message, code) => {
    const bad = await subscribed();
    bad.send(message);
    expect(await bad.end()).toBe(code);
  });

  it('a subscribe before the acknowledgement', async () => {
    const bad = await open();
    bad.send(subscribe('early'));
    expect(await bad.end()).toBe(4401);
  });

  it('a WebSocket that does not send connection_init', async () => {
    expect(await (await open()).end()).toBe(4408);
  });

  it('no subprotocol', async () => {
    expect(await (await open({ protocol: [] })).end()).toBe(4406);
  });

  it('a wrong subprotocol', async () => {
    // A library gives up by itself when the server takes none of its protocols: look at the bytes.
    const [socket] = openSockets(1, `${UPGRADE}sec-websocket-protocol: graphql-ws\r\n\r\n`) as [Socket];
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
    // A close frame, and the code in it.
    await until(() => bytes.includes(0x88), { what: 'the close frame' });
    expect(bytes.readUInt16BE(bytes.indexOf(0x88) + 2)).toBe(4406);
  });

  it.each<[string, string]>([
    ['is too deep', `${'{ me '.repeat(800)}{ id }${' }'.repeat(800)}`],
    ['has too many tokens', `{ me { ${'id '.repeat(30_000)} } }`],
    ['has too many aliases', `{ ${Array.from({ length: 900 }, (_, at) => `a${at}: me { id }`).join(' ')} }`],
  ])('a document that %s ends its own operation and nothing else', async (_title, query) => {
    const bad = await subscribed();
    bad.send(subscribe('huge', query));
    const answered = () => [...bad.of('error'), ...bad.of('next')].some(({ id }) => id === 'huge');
    await until(answered, { what: 'the answer' });
    expect(bad.closed()).toBeUndefined();
    bad.socket.close();
  });

  it('100,000 subscribe messages on one connection', { timeout: 60_000 }, async () => {
    const bad = await subscribed();
    for (let count = 0; count < 100_000; count++) {
      if (bad.closed() !== undefined) break;
      bad.send(subscribe(`flood ${count}`));
      if (count % 1_000 === 0) await new Promise(setImmediate);
    }
    expect(await bad.end()).toBe(4429);
    const refused = bad.of('error') as unknown as { payload: { extensions: { code: string } }[] }[];
    for (const { payload } of refused) expect(payload[0]!.extensions.code).toBe('TOO_MANY_SUBSCRIPTIONS');
  });

  it('a page of another site', async () => {
    const refused = await open({ headers: { origin: 'https://evil.example' }, token: customer });
    expect(refused.closed()).toBe(403);
    const own = await open({ headers: { origin: platform.webUrl }, token: customer });
    expect(own.of('connection_ack')).toHaveLength(1);
    own.socket.close();
  });

  /** Raw sockets, each of which says this and then nothing, with its end kept open. */
  function openSockets(count: number, text: string): Socket[] {
    const { port } = new URL(platform.webUrl);
    return Array.from({ length: count }, () => {
      const socket = connectSocket({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => undefined);
      socket.write(text);
      socket.resume();
      rawSockets.push(socket);
      return socket;
    });
  }

  it('two hundred slow upgrades and sockets that say nothing', { timeout: 40_000 }, async () => {
    const sockets = [...openSockets(100, HEAD), ...openSockets(100, '')];
    const drip = setInterval(() => {
      for (const socket of sockets.slice(0, 100)) if (socket.writable) socket.write('x');
    }, 500);
    const ended = new Set<Socket>();
    for (const socket of sockets)
      socket.on('end', () => ended.add(socket)).on('close', () => ended.add(socket));
    // Served beside them, and seen by the healthy client.
    await place();
    await until(() => ended.size === sockets.length, { what: 'all to be ended', timeoutMs: 20_000 });
    clearInterval(drip);
  });

  it('fifty clients that upgrade and are never heard of again', { timeout: 40_000 }, async () => {
    openSockets(50, `${UPGRADE}sec-websocket-protocol: graphql-transport-ws\r\n\r\n`);
    const there = async (): Promise<boolean> =>
      (await liveCounts(platform.webUrl)).connections === before.connections + 51;
    await until(there, { what: 'fifty connections' });
    // None answers the close frame of 4408 either: the heartbeat finds them.
    const gone = async (): Promise<boolean> =>
      (await liveCounts(platform.webUrl)).connections === before.connections + 1;
    await until(gone, { what: 'all to be ended', timeoutMs: 38_000 });
  });
});
