import { connect, type Socket } from 'node:net';
import { createMetrics } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createClientAddresses } from '../admission/client-address.ts';
import { startEdgeServer, type EdgeServer, type EdgeServerOptions } from './edge-server.ts';
import { refuseUpgrade } from '../admission/refuse-upgrade.ts';

describe('the edge, before it knows who is there', () => {
  let server: EdgeServer;
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.stop(0);
  });

  const start = async (options: Partial<EdgeServerOptions> = {}): Promise<void> => {
    server = await startEdgeServer({
      host: '127.0.0.1',
      port: 0,
      health: () => undefined,
      ...options,
    });
  };

  /** A socket that says only what it is told to. */
  function open(): { socket: Socket; text: () => string; closed: () => boolean } {
    const socket = connect({
      port: Number(new URL(server.url).port),
      host: '127.0.0.1',
      allowHalfOpen: true,
    });
    sockets.push(socket);
    let text = '';
    let closed = false;
    socket.on('data', (chunk) => (text += String(chunk)));
    socket.on('end', () => (closed = true));
    socket.on('error', () => undefined);
    socket.on('close', () => (closed = true));
    return { socket, text: () => text, closed: () => closed };
  }

  const upgrade = 'GET /graphql/web HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n';

  it('a connection that sends nothing is ended in bounded time', async () => {
    await start({ headersTimeoutMs: 200 });
    const silent = open();
    await until(silent.closed, { what: 'the end', timeoutMs: 2_000 });
  });

  it('an upgrade request that comes byte by byte is ended in bounded time', async () => {
    await start({ headersTimeoutMs: 300 });
    const slow = open();
    let at = 0;
    const drip = setInterval(() => slow.socket.write(upgrade[at++ % upgrade.length]!), 20);
    await until(slow.closed, { what: 'the end', timeoutMs: 2_000 });
    clearInterval(drip);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408|^$/);
  });

  it('headers that are larger than allowed are answered with 431', async () => {
    await start();
    const large = open();
    large.socket.write(`${upgrade}x-large: ${'x'.repeat(20_000)}\r\n\r\n`);
    await until(large.closed, { what: 'the end' });
    expect(large.text()).toMatch(/^HTTP\/1\.1 431/);
  });

  it('an address has so many sockets and no more, whatever is said on them', async () => {
    const metrics = createMetrics({ nodeMetrics: false });
    await start({ maxSocketsPerAddress: 2, metrics });
    const [first, second] = [open(), open()];
    await until(() => !first.socket.connecting && !second.socket.connecting, { what: 'two connections' });
    const third = open();
    await until(third.closed, { what: 'the third to be closed' });
    expect([first.closed(), second.closed()]).toEqual([false, false]);
    expect((await metrics.render()).body).toContain('{reason="sockets-per-address"} 1');
    first.socket.destroy();
    // Its place is free again.
    const answered = async (): Promise<boolean> =>
      (await fetch(`${server.url}/`).catch(() => undefined))?.status === 503;
    await until(answered, { what: 'an answer' });
  });

  it('the sockets of a trusted proxy are many clients’ and not counted', async () => {
    await start({ maxSocketsPerAddress: 1, addresses: createClientAddresses(['127.0.0.1']) });
    const [first, second] = [open(), open()];
    await until(() => !first.socket.connecting && !second.socket.connecting, { what: 'two connections' });
    expect((await fetch(`${server.url}/`)).status).toBe(503);
    expect([first.closed(), second.closed()]).toEqual([false, false]);
  });

  it('a refused upgrade leaves no socket behind, also when the client keeps its half open', async () => {
    await start();
    const serverSides: { destroyed: boolean }[] = [];
    server.serve({
      handle: () => undefined,
      upgrade: (_request, socket) => {
        serverSides.push(socket);
        refuseUpgrade(socket, 429, 'Too many.');
      },
    });
    const halfOpen = open();
    halfOpen.socket.write(`${upgrade}\r\n`);
    await until(() => halfOpen.text().includes('Too many.'), { what: 'the answer' });
    expect(halfOpen.text()).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
    expect(halfOpen.text()).toContain('retry-after: 1');
    await until(() => serverSides[0]!.destroyed, { what: 'our side to be gone' });
  });
});
