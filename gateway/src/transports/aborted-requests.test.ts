import type { Socket } from 'node:net';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRevocationsRoute } from '../auth/revocations-route.ts';
import { complete, COUNTER, subscribe, type EdgeSocket } from './edge-socket.fixture.ts';
import { Edge, PATH, TOKEN } from './edge.fixture.ts';

const BODY = JSON.stringify({ query: COUNTER });
const HELD = JSON.stringify({ query: '{ held }' });
const search = `?query=${encodeURIComponent(COUNTER)}`;
const UPGRADE =
  'upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n' +
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n';
const STREAM = 'accept: text/event-stream\r\n';
const MULTIPART = 'accept: multipart/mixed;subscriptionSpec=1.0, application/json\r\n';
const JSON_TYPE = 'content-type: application/json\r\n';
const AUTHORIZED = `authorization: Bearer ${TOKEN}\r\n`;

function head(method: string, target: string, headers: string): string {
  return `${method} ${target} HTTP/1.1\r\nhost: a\r\n${headers}\r\n`;
}

function withBody(method: string, headers: string, body: string, target = PATH): string {
  return head(method, target, `${headers}${JSON_TYPE}content-length: ${body.length}\r\n`) + body;
}

/** Ways in which a client leaves. */
const departures: readonly [string, (socket: Socket) => void][] = [
  ['closes its socket', (socket) => socket.destroy()],
  ['resets its socket', (socket) => socket.resetAndDestroy()],
  ['ends its side', (socket) => socket.end()],
];

/** Every route that waits for a token before it answers. `{token}` stands for the token of a reserved stream. */
const routes: readonly [string, string][] = [
  ['an event stream by GET', head('GET', PATH + search, STREAM + AUTHORIZED)],
  ['an event stream by GET with access_token', head('GET', `${PATH}${search}&access_token=${TOKEN}`, STREAM)],
  ['an event stream by POST', withBody('POST', STREAM + AUTHORIZED, BODY)],
  ['a query on an event stream', withBody('POST', STREAM + AUTHORIZED, HELD)],
  ['a multipart stream by POST', withBody('POST', MULTIPART + AUTHORIZED, BODY)],
  ['a multipart stream by GET', head('GET', PATH + search, MULTIPART + AUTHORIZED)],
  ['a reservation', head('PUT', PATH, AUTHORIZED)],
  ['the stream of a reservation', head('GET', `${PATH}?token={token}`, STREAM + AUTHORIZED)],
  [
    'an operation of a reservation',
    withBody(
      'POST',
      AUTHORIZED,
      JSON.stringify({ query: COUNTER, extensions: { operationId: 'x' } }),
      `${PATH}?token={token}`,
    ),
  ],
  ['the end of an operation', head('DELETE', `${PATH}?token={token}&operationId=x`, AUTHORIZED)],
  ['a query by GET', head('GET', `${PATH}?query=%7Bheld%7D`, AUTHORIZED)],
  ['a query by POST', withBody('POST', AUTHORIZED, HELD)],
  ['a revocation', withBody('POST', AUTHORIZED, '{"subject":"x"}', '/api/access/revocations')],
  ['an upgrade', head('GET', PATH, UPGRADE + AUTHORIZED)],
];

type Holds = Awaited<ReturnType<Edge['holds']>>;

const isAtMost = (now: Holds, before: Holds): boolean =>
  now.connections <= before.connections && now.subscriptions === 0 && now.holders <= before.holders;

describe('a client that leaves', () => {
  let edge: Edge;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    edge = await new Edge({
      limits: { maxConnectionsPerViewer: 20, maxConnectionsPerAddress: 50, maxSubscriptionsPerViewer: 20 },
      routes: ({ logger, verify }) => [
        createRevocationsRoute({ logger, verifier: { verify }, revocations: {} as never }),
      ],
    }).start();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await edge[Symbol.asyncDispose]();
  });

  async function send(request: string): Promise<Socket> {
    const socket = await edge.raw(request);
    sockets.push(socket);
    return socket;
  }

  async function reserve(): Promise<string> {
    const response = await fetch(edge.url, { method: 'PUT', headers: { authorization: `Bearer ${TOKEN}` } });
    return response.text();
  }

  const turns = (count: number) => new Promise((resolve) => setTimeout(resolve, count));

  describe.each(departures)('and %s', (_title, leave) => {
    it.each(routes)('while its token is verified leaves nothing behind: %s', async (title, request) => {
      const token = request.includes('{token}') ? await reserve() : '';
      const before = await edge.holds();
      for (const pauseMs of [0, 20]) {
        const release = edge.holdVerification();
        const socket = await send(request.replace('{token}', token));
        await until(() => edge.verifying === 1, { what: 'the verification' });
        leave(socket);
        await turns(pauseMs);
        release();
        await until(() => edge.verifying === 0, { what: 'the end of the verification' });
        await turns(5);
        edge.answerHeld();
        // What the reservation holds remains.
        await until(async () => isAtMost(await edge.holds(), before), { what: 'no more than before' });
        socket.destroy();
      }
      expect([title, ...edge.errors]).toEqual([title]);
    });

    it.each(routes.filter(([, request]) => request.startsWith('POST')))(
      'while its body is read leaves nothing behind: %s',
      async (title, request) => {
        const token = request.includes('{token}') ? await reserve() : '';
        const socket = await send(request.replace('{token}', token).slice(0, -5));
        await turns(20);
        leave(socket);
        await turns(20);
        if (token === '') await edge.released();
        expect([title, ...edge.errors]).toEqual([title]);
      },
    );
  });

  it('while its query on an event stream is executed leaves nothing behind', async () => {
    const socket = await send(withBody('POST', STREAM + AUTHORIZED, HELD));
    await until(() => edge.held === 1, { what: 'the query' });
    socket.destroy();
    await turns(20);
    edge.answerHeld();
    await turns(5);
    await edge.released();
    expect(edge.errors).toEqual([]);
  });

  it.each([
    ['of connection_init', { type: 'connection_init', payload: { authorization: `Bearer ${TOKEN}` } }],
    ['of a renewal', { type: 'ping', payload: { tidegate: { authorization: `Bearer ${TOKEN}` } } }],
  ])('while the token %s is verified leaves nothing behind', async (_title, message) => {
    for (const leave of [
      (client: EdgeSocket) => client.socket.close(),
      (client: EdgeSocket) => client.socket.terminate(),
      // A Close frame, after which the TCP connection stays open.
      (client: EdgeSocket) => {
        client.socket.pause();
        client.tcp.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
      },
    ]) {
      const client = await edge.open(message.type === 'ping' ? { authorization: `Bearer ${TOKEN}` } : null);
      if (message.type === 'ping') client.send(subscribe('1'));
      await turns(5);
      const release = edge.holdVerification();
      client.send(message, subscribe('2'), complete('1'));
      await until(() => edge.verifying === 1, { what: 'the verification' });
      leave(client);
      await turns(20);
      release();
      await edge.released();
      client.socket.terminate();
    }
    expect(edge.errors).toEqual([]);
  });

  it(
    'at any moment leaves nothing behind, and does not lock its viewer out',
    { timeout: 60_000 },
    async () => {
      edge.verifyWithin(4);
      const token = await reserve();
      // A reservation that was answered lives on for its 10 s.
      const aborted = routes.filter(([title]) => title !== 'a reservation');
      for (let round = 0; round < 40; round++) {
        const attempts = aborted.map(async ([, request], index) => {
          const socket = await send(request.replace('{token}', token));
          await turns(Math.random() * 6);
          departures[(index + round) % departures.length]![1](socket);
          await turns(10);
          edge.answerHeld();
          socket.destroy();
        });
        await Promise.all(attempts);
      }
      edge.answerHeld();
      // Its stream may have been opened and closed meanwhile, which has ended it.
      const reserved = await fetch(`${edge.url}?token=${token}`, {
        headers: { accept: 'text/event-stream' },
      });
      await reserved.body?.cancel();
      await edge.released();
      const response = await fetch(edge.url + search, {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${TOKEN}` },
      });
      expect(response.status).toBe(200);
      await response.body?.cancel();
      expect(edge.errors).toEqual([]);
    },
  );
});
