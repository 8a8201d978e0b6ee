import { Heartbeats } from '../heartbeats.ts';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { anonymous } from '@tidegate/bff';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { RevocationList } from '../../auth/revocation-list.ts';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import { Admission } from '../../admission/admission.ts';
import { createEdgeMetrics } from '../../admission/metrics.ts';
import { createLiveMetrics } from '../../live/metrics.ts';
import { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { createGuards } from '../sse/endpoint.fixture.ts';
import { ClosingWebSocket } from './closing-web-socket.ts';
import { WebSocketConnection } from './connection.ts';
import { WebSocketEncoder } from './encoding.ts';

const anna: VerifiedViewer = { role: 'member', id: 'anna', tokenId: 'a', issuedAtMs: 1_000 };
const FULL = Buffer.alloc(8_000_000, '\0');

describe('a WebSocket connection', () => {
  let server: Server;
  let client: WebSocket;
  let connection: WebSocketConnection;
  let raw: Socket;
  let closed: number | undefined;
  const received: string[] = [];
  const revocations = new RevocationList();
  const metrics = createMetrics({ nodeMetrics: false });
  const admission = new Admission({
    limits: {
      maxConnectionsPerAddress: 9,
      maxConnectionsPerViewer: 1,
      maxSubscriptionsPerViewer: 9,
      maxReservationsPerAddress: 9,
      maxReservationsPerViewer: 9,
      maxOperationBytesPerConnection: 1_000_000,
      maxOperationBytesPerAddress: 1_000_000,
    },
    metrics: createEdgeMetrics(metrics),
  });

  beforeEach(async () => {
    received.length = 0;
    closed = undefined;
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.on('message', (data) => received.push((data as Buffer).toString()));
    client.on('close', (code) => (closed = code));
    const [request, socket, head] = (await once(server, 'upgrade')) as [IncomingMessage, Socket, Buffer];
    raw = socket;
    const sockets = new WebSocketServer({ noServer: true, WebSocket: ClosingWebSocket });
    const opened = await new Promise<ClosingWebSocket>((resolve) =>
      sockets.handleUpgrade(request, socket, head, resolve),
    );
    const facts = { viewer: anonymous, traceparent: undefined, address: '192.0.2.1' };
    connection = new WebSocketConnection(opened, socket, facts, {
      encoder: new WebSocketEncoder(),
      server: {} as BffServer,
      guards: { ...createGuards(metrics), admission, revocations },
      metrics: createLiveMetrics(metrics),
      scheduler: new FlushScheduler(),
      maxQueuedBytes: 1_000_000,
      heartbeats: new Heartbeats(60_000),
      maxConnectionAgeMs: 0,
    });
    await until(() => client.readyState === WebSocket.OPEN, { what: 'the connection' });
  });

  afterEach(async () => {
    client.terminate();
    connection.socket.terminate();
    await until(() => admission.holders === 0, { what: 'nothing to be held' });
    await new Promise((resolve) => server.close(resolve));
  });

  /** Fills the socket with one large frame, so that later messages wait in the queue. */
  function fill(): void {
    client.pause();
    connection.socket.send(FULL);
    expect(raw.writableNeedDrain).toBe(true);
  }

  it('closes with 4509 after its queued messages when it leaves', async () => {
    fill();
    connection.send('the last word');
    connection.leave();
    expect(connection.socket.readyState).toBe(WebSocket.OPEN);
    client.resume();
    await until(() => closed !== undefined, { what: 'the close' });
    expect([received.at(-1), closed]).toEqual(['the last word', 4509]);
  });

  it('sends nothing after its close frame', async () => {
    connection.send('before');
    connection.close('TOKEN_EXPIRED');
    const written = raw.bytesWritten;
    connection.send('behind');
    connection.queue.flush();
    expect(raw.bytesWritten).toBe(written);
    await until(() => closed !== undefined, { what: 'the close' });
    expect(received).toEqual(['before']);
  });

  it('closes with 4401 and drops queued messages when its token is revoked', async () => {
    connection.identify(anna);
    fill();
    connection.send('no longer for you');
    revocations.add({ kind: 'token', tokenId: 'a' }, Infinity);
    expect(connection.facts.viewer).toEqual(anonymous);
    client.resume();
    await until(() => closed !== undefined, { what: 'the close' });
    expect([received.includes('no longer for you'), closed]).toEqual([false, 4401]);
  });

  it('loses its socket when its token is revoked and it does not read the close frame', async () => {
    connection.identify(anna);
    fill();
    revocations.add({ kind: 'subject', subject: 'anna', issuedBefore: '2026-01-01T00:00:00Z' }, Infinity);
    await until(() => raw.destroyed, { what: 'the socket to be gone', timeoutMs: 5_000 });
  });

  it('counts once for its viewer despite renewals, and no longer after its close', async () => {
    const later = { ...anna, tokenId: 'b', issuedAtMs: Date.now() };
    connection.identify(later);
    connection.renew({ ...later, role: 'operator' });
    expect(() => admission.admitViewer(anna)).toThrow('1 connections of a viewer');
    client.close();
    await until(() => connection.socket.readyState === WebSocket.CLOSED, { what: 'the close' });
    // A token that is verified after the close holds nothing.
    connection.identify(later);
    expect(admission.holders).toBe(0);
  });

  it('rejects a renewal by a token of another subject', () => {
    connection.identify({ ...anna, tokenId: 'c', issuedAtMs: Date.now() });
    expect(() => connection.renew({ ...anna, id: 'bert' })).toThrow('same subject');
  });
});
