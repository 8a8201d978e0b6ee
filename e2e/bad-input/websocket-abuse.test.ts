/** Promise: a violation of the WebSocket protocol ends with its close code and affects no other client. */
import { connect as connectSocket, type Socket } from 'node:net';
import { until } from '@tidegate/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { placeOrder, waitForCatalogue } from '../harness/graphql.ts';
import { liveCounts, type LiveCounts } from '../harness/live-counts.ts';
import { openRawWebSocket, type RawWebSocketOptions } from '../harness/raw-websocket.ts';
import { startEmbedded, type EmbeddedPlatform } from '../harness/running-platform.ts';
import { watchWebSocket, webSocketClient, type Watch } from '../harness/watch.ts';

const ORDERS = 'subscription { orders { id status version } }';
/** Last status of an order that the healthy client waits for. */
const FINAL = 'DELIVERED';

const HEAD = 'GET /graphql/web HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n';
const UPGRADE = `${HEAD}sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n`;

describe('a protocol violation ends with its close code and affects no other client:', () => {
  let platform: EmbeddedPlatform;
  let customer: string;
  let productId: string;
  let before: LiveCounts;
  let healthy: Watch;
  let client: ReturnType<typeof webSocketClient>;
  let interruptions: unknown[];
  const rawSockets: Socket[] = [];

  beforeAll(async () => {
    platform = await startEmbedded();
    customer = await platform.token('customer-1', 'customer');
    [productId] = (await waitForCatalogue(platform.webUrl)) as [string];
  });

  afterAll(async () => {
    await platform?.[Symbol.asyncDispose]();
  });

  /** Connects a healthy client, which stays connected during the test. */
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

  /** Expects that the healthy client got every change once and in order on one connection, and that nothing leaks. */
  afterEach(async () => {
    const placed = await Promise.all([1, 2, 3].map(() => place()));
    const statuses = (key: string) =>
      healthy.messages
        .filter((message) => message.key === key)
        .map(({ data }) => (data as unknown as { orders: { status: string } }).orders.status);
    await until(() => placed.every((id) => statuses(id).includes(FINAL)), {
      what: 'the last status of every order',
      timeoutMs: 20_000,
    });
    for (const key of new Set(healthy.messages.map((message) => message.key))) {
      const versions = healthy.messages
        .filter((message) => message.key === key)
        .map(({ version }) => version);
      // oxlint-disable-next-line vitest/no-standalone-expect -- every test checks this promise too
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

  /** Opens an acknowledged connection with one subscription. */
  async function subscribed() {
    const bad = await open({ token: customer });
    bad.send(subscribe('first'));
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
    ['an operation id that is in use', subscribe('first'), 4409],
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
    // A WebSocket library fails when the server accepts no subprotocol, so the test reads the bytes.
    const [socket] = openSockets(1, `${UPGRADE}sec-websocket-protocol: graphql-ws\r\n\r\n`) as [Socket];
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
    // 0x88: a close frame; the code follows its length byte.
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

  it('a page of another origin', async () => {
    const refused = await open({ headers: { origin: 'https://evil.example' }, token: customer });
    expect(refused.closed()).toBe(403);
    const own = await open({ headers: { origin: platform.webUrl }, token: customer });
    expect(own.of('connection_ack')).toHaveLength(1);
    own.socket.close();
  });

  /** Opens raw sockets that send the text, then nothing, and never close their side. */
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

  it('two hundred slow upgrades and silent sockets', { timeout: 40_000 }, async () => {
    const sockets = [...openSockets(100, HEAD), ...openSockets(100, '')];
    const drip = setInterval(() => {
      for (const socket of sockets.slice(0, 100)) if (socket.writable) socket.write('x');
    }, 500);
    const ended = new Set<Socket>();
    for (const socket of sockets)
      socket.on('end', () => ended.add(socket)).on('close', () => ended.add(socket));
    // An order placed meanwhile reaches the healthy client.
    await place();
    await until(() => ended.size === sockets.length, { what: 'all to be ended', timeoutMs: 20_000 });
    clearInterval(drip);
  });

  it('fifty clients that upgrade and then stay silent', { timeout: 40_000 }, async () => {
    openSockets(50, `${UPGRADE}sec-websocket-protocol: graphql-transport-ws\r\n\r\n`);
    const connected = async (): Promise<boolean> =>
      (await liveCounts(platform.webUrl)).connections === before.connections + 51;
    await until(connected, { what: 'fifty connections' });
    // They do not answer the close frame with 4408 either: the heartbeat ends them.
    const gone = async (): Promise<boolean> =>
      (await liveCounts(platform.webUrl)).connections === before.connections + 1;
    await until(gone, { what: 'all to be ended', timeoutMs: 38_000 });
  });
});
