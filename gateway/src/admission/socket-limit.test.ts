import { connect, type Socket } from 'node:net';
import { startHttpServer, type HttpServer } from '@tidegate/runtime/http';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createClientAddresses } from './client-address.ts';
import { createEdgeMetrics } from './metrics.ts';
import { limitSockets } from './socket-limit.ts';

describe('the limit of sockets', () => {
  let server: HttpServer;
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.stop(0);
  });

  async function start(maxPerAddress: number, trustedProxies: string[] = []) {
    const metrics = createMetrics({ nodeMetrics: false });
    server = await startHttpServer({ logger: silentLogger });
    limitSockets(server, {
      maxPerAddress,
      addresses: createClientAddresses(trustedProxies),
      metrics: createEdgeMetrics(metrics),
    });
    return metrics;
  }

  function open(): { socket: Socket; closed: () => boolean } {
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    sockets.push(socket);
    let closed = false;
    socket.on('error', () => undefined);
    socket.on('close', () => (closed = true));
    return { socket, closed: () => closed };
  }

  it('closes the next socket of an address at its maximum, and frees the place of one that closed', async () => {
    const metrics = await start(2);
    const [first, second] = [open(), open()];
    await until(() => !first.socket.connecting && !second.socket.connecting, { what: 'two connections' });
    const third = open();
    await until(third.closed, { what: 'the third to be closed' });
    expect([first.closed(), second.closed()]).toEqual([false, false]);
    expect((await metrics.render()).body).toContain('{reason="sockets-per-address"} 1');
    first.socket.destroy();
    const answered = async (): Promise<boolean> =>
      (await fetch(`${server.url}/`).catch(() => undefined))?.status === 503;
    await until(answered, { what: 'an answer' });
  });

  it('does not count the sockets of a trusted proxy', async () => {
    await start(1, ['127.0.0.1']);
    const [first, second] = [open(), open()];
    await until(() => !first.socket.connecting && !second.socket.connecting, { what: 'two connections' });
    expect((await fetch(`${server.url}/`)).status).toBe(503);
    expect([first.closed(), second.closed()]).toEqual([false, false]);
  });
});
