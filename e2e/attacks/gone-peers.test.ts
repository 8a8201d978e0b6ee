/** Promise: a client that left, at whatever moment and in whatever way, holds nothing: its viewer may come again at once. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedPlatform, describeAttacks, type Outcome, type Row } from './attacked-platform.ts';
import { frame, opcodes } from './websocket-frames.ts';

/** Connections and subscriptions that one viewer may hold: fewer than the clients of one attack. */
const LIMIT = '5';
/** Delays of the clients of one attack before they leave, in milliseconds. */
const DELAYS_MS = [0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 7, 10, 15, 25, 50];

const SUBSCRIPTION = 'subscription { orders { id } }';
const QUERY = '{ orders(first: 5) { totalCount } }';

/** Writes a request as the viewer of a token. */
type Begin = (socket: Socket, token: string) => void;
type Leave = (socket: Socket) => void;

interface Attack {
  readonly begin: Begin;
  readonly leave: Leave;
}

function head(line: string, token: string, ...more: string[]): string {
  return [`${line} HTTP/1.1`, 'host: a', `authorization: Bearer ${token}`, ...more, '', ''].join('\r\n');
}

const get =
  (query: string, accept: string): Begin =>
  (socket, token) =>
    void socket.write(
      head(`GET /graphql/web?${new URLSearchParams({ query }).toString()}`, token, `accept: ${accept}`),
    );

/** @param sent part of the body that is sent. Default 1, all of it. */
const post =
  (query: string, accept: string, sent = 1): Begin =>
  (socket, token) => {
    const body = JSON.stringify({ query });
    const more = [`accept: ${accept}`, 'content-type: application/json', `content-length: ${body.length}`];
    socket.write(head('POST /graphql/web', token, ...more) + body.slice(0, Math.floor(body.length * sent)));
  };

const UPGRADE = [
  'upgrade: websocket',
  'connection: upgrade',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol: graphql-transport-ws',
];

const upgrade =
  (...messages: object[]): Begin =>
  (socket, token) => {
    const frames = messages.map((message) => frame(JSON.stringify(message)));
    socket.write(Buffer.concat([Buffer.from(head('GET /graphql/web', token, ...UPGRADE)), ...frames]));
  };

/** Sends messages once the acknowledgement has come: before it, a `subscribe` is a violation. */
const converse =
  (...messages: object[]): Begin =>
  (socket, token) => {
    upgrade({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })(socket, token);
    let received = '';
    const send = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (!received.includes('connection_ack') || !socket.writable) return;
      socket.off('data', send);
      socket.write(Buffer.concat(messages.map((message) => frame(JSON.stringify(message)))));
    };
    socket.on('data', send);
  };

const subscribe = (id: string, query: string) => ({ type: 'subscribe', id, payload: { query } });
const four = (query: string) => ['1', '2', '3', '4'].map((id) => subscribe(id, query));

const begins: readonly (readonly [name: string, begin: Begin])[] = [
  ['an event stream by GET', get(SUBSCRIPTION, 'text/event-stream')],
  ['an event stream of a query by GET', get(QUERY, 'text/event-stream')],
  ['an event stream by POST', post(SUBSCRIPTION, 'text/event-stream')],
  ['an event stream by POST without the end of its body', post(SUBSCRIPTION, 'text/event-stream', 0.5)],
  ['a query by GET', get(QUERY, 'application/json')],
  ['a query by POST', post(QUERY, 'application/json')],
  ['a query without the end of its body', post(QUERY, 'application/json', 0.5)],
  ['an upgrade to a WebSocket', upgrade()],
  ['an upgrade with its `connection_init`', upgrade({ type: 'connection_init' })],
  [
    'an upgrade with a `subscribe` that comes too early',
    upgrade({ type: 'connection_init' }, subscribe('1', SUBSCRIPTION)),
  ],
  ['four subscriptions over WebSocket', converse(...four(SUBSCRIPTION))],
  ['four queries over WebSocket', converse(...four(QUERY))],
  [
    'an id that is used again over WebSocket',
    converse(subscribe('1', SUBSCRIPTION), { type: 'complete', id: '1' }, subscribe('1', SUBSCRIPTION)),
  ],
];

const CLOSE_FRAME = frame(Buffer.from([1000 >> 8, 1000 & 0xff]), { opcode: opcodes.close });

const leaves: readonly (readonly [name: string, leave: Leave])[] = [
  ['and a reset', (socket) => void socket.resetAndDestroy()],
  ['and the end of both sides', (socket) => void socket.destroy()],
  ['and the end of one side', (socket) => void socket.end()],
];

const rows: readonly Row<Attack>[] = [
  ...begins.flatMap(([name, begin]) =>
    leaves.map(([how, leave]) => [`${name} ${how}`, { begin, leave }, 'may come again'] as const),
  ),
  ...begins
    .filter(([name]) => name.includes('over WebSocket'))
    .map(([name, begin]): Row<Attack> => {
      const leave: Leave = (socket) => void socket.write(CLOSE_FRAME);
      return [`${name} and a close frame on a socket that stays open`, { begin, leave }, 'may come again'];
    }),
];

describe('after clients left, their viewer may come again:', () => {
  let world: AttackedPlatform;
  let viewers = 0;
  const left: Socket[] = [];

  beforeAll(async () => {
    world = await AttackedPlatform.start({
      MAX_CONNECTIONS_PER_VIEWER: LIMIT,
      MAX_SUBSCRIPTIONS_PER_VIEWER: LIMIT,
    });
  });

  afterAll(async () => {
    for (const socket of left) socket.destroy();
    await world?.[Symbol.asyncDispose]();
  });

  /** One client after another, so that no more of the viewer are there at once than it may hold. */
  async function attack({ begin, leave }: Attack): Promise<Outcome> {
    const token = await world.platform.token(`viewer-${(viewers += 1)}`, 'customer');
    for (const delayMs of DELAYS_MS) {
      // Half open: the client does not answer the end of the server's side with that of its own.
      const socket = connect({ port: world.port, host: '127.0.0.1', allowHalfOpen: true });
      left.push(socket);
      socket.on('error', () => undefined).resume();
      await once(socket, 'connect');
      begin(socket, token);
      if (delayMs > 0) await new Promise((done) => setTimeout(done, delayMs));
      leave(socket);
    }
    return until(async () => (await subscribes(token)) && 'may come again', {
      what: 'a subscription of the same viewer',
      timeoutMs: 5_000,
      everyMs: 50,
    });
  }

  /** Opens as many event streams as a viewer may hold: true when none of its places is taken. */
  async function subscribes(token: string): Promise<boolean> {
    const controller = new AbortController();
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    const url = `${world.url}/graphql/web?${new URLSearchParams({ query: SUBSCRIPTION }).toString()}`;
    const open = async (): Promise<boolean> => {
      const { status, body } = await fetch(url, { headers, signal: controller.signal });
      if (status !== 200) return false;
      // Not by iteration, whose end would close the stream before the next one opens.
      const reader = body!.getReader();
      let text = '';
      while (!/^id: /m.test(text) && !text.includes('"code"')) {
        const { value, done } = await reader.read();
        if (done) return false;
        text += Buffer.from(value as Uint8Array).toString();
      }
      return !text.includes('"code"');
    };
    const opened = await Promise.all(Array.from({ length: Number(LIMIT) }, open));
    controller.abort();
    return opened.every(Boolean);
  }

  describeAttacks('a request', rows, attack);

  it('and the gateway holds nothing of them', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
