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
import { WebSocketConnection } from './connection.ts';

const anna: VerifiedViewer = { role: 'customer', id: 'anna', tokenId: 'a', issuedAtMs: 1_000 };
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
    limits: { maxConnectionsPerAddress: 9, maxConnectionsPerViewer: 1, maxSubscriptionsPerViewer: 9 },
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
    const sockets = new WebSocketServer({ noServer: true });
    const opened = await new Promise<WebSocket>((resolve) =>
      sockets.handleUpgrade(request, socket, head, resolve),
    );
    const facts = { viewer: anonymous, traceparent: undefined, address: '192.0.2.1' };
    connection = new WebSocketConnection(opened, socket, facts, {
      server: {} as BffServer,
      guards: { admission, revocations, metrics: createEdgeMetrics(metrics) },
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

  /** Fills the socket with one large frame, so that whatever is queued has to wait. */
  function fill(): void {
    client.pause();
    connection.socket.send(FULL);
    expect(raw.writableNeedDrain).toBe(true);
  }

  it('that leaves is closed with 4509 after what is queued has been written', async () => {
    fill();
    connection.queue.message('the last word');
    const left = connection.leave();
    expect(connection.socket.readyState).toBe(WebSocket.OPEN);
    client.resume();
    await left;
    await until(() => closed !== undefined, { what: 'the close' });
    expect([received.at(-1), closed]).toEqual(['the last word', 4509]);
  });

  it('says nothing behind its close frame', async () => {
    connection.queue.message('before');
    connection.close('TOKEN_EXPIRED');
    const written = raw.bytesWritten;
    connection.queue.message('behind');
    connection.queue.flush();
    expect(raw.bytesWritten).toBe(written);
    await until(() => closed !== undefined, { what: 'the close' });
    expect(received).toEqual(['before']);
  });

  it('whose token is revoked is closed with 4401, and what is queued is dropped', async () => {
    connection.identify(anna);
    fill();
    connection.queue.message('not for you any more');
    revocations.add({ kind: 'token', tokenId: 'a' }, Infinity);
    expect(connection.facts.viewer).toEqual(anonymous);
    client.resume();
    await until(() => closed !== undefined, { what: 'the close' });
    expect([received.includes('not for you any more'), closed]).toEqual([false, 4401]);
  });

  it('whose token is revoked loses its socket when it reads not even that', async () => {
    connection.identify(anna);
    fill();
    revocations.add({ kind: 'subject', subject: 'anna', issuedBefore: '2026-01-01T00:00:00Z' }, Infinity);
    await until(() => raw.destroyed, { what: 'the socket to be gone', timeoutMs: 5_000 });
  });

  it('counts for its viewer once, however often its token is renewed, and not any more when it has closed', async () => {
    const later = { ...anna, tokenId: 'b', issuedAtMs: Date.now() };
    connection.identify(later);
    connection.renew({ ...later, role: 'operator' });
    expect(() => admission.connectionFor({ viewer: anna, address: '' })).toThrow('1 connections of a viewer');
    client.close();
    await until(() => connection.socket.readyState === WebSocket.CLOSED, { what: 'the close' });
    // A token that was verified meanwhile holds nothing.
    connection.identify(later);
    expect(admission.holders).toBe(0);
  });

  it('is not renewed by somebody else’s token', () => {
    connection.identify({ ...anna, tokenId: 'c', issuedAtMs: Date.now() });
    expect(() => connection.renew({ ...anna, id: 'bert' })).toThrow('same subject');
  });
});
