import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '@tidegate/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../telemetry/index.ts';
import { startHttpServer, type HttpServer, type HttpServerOptions } from './http-server.ts';
import { readBody } from './read-body.ts';
import { TidegateError } from '@tidegate/core';
import { refuseUpgrade } from './refuse-upgrade.ts';

describe('an HTTP server', () => {
  let server: HttpServer;
  const sockets: Socket[] = [];

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await server.stop(0);
  });

  const start = async (options: Partial<HttpServerOptions> = {}): Promise<void> => {
    server = await startHttpServer({ logger: silentLogger, ...options });
  };

  /** Opens a socket that sends only what the test writes. */
  function open(): { socket: Socket; text: () => string; closed: () => boolean } {
    const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen: true });
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

  it('closes a connection that sends nothing after the headers timeout', async () => {
    await start({ timeouts: { headersMs: 200 } });
    const silent = open();
    await until(silent.closed, { what: 'the end', timeoutMs: 2_000 });
  });

  it('closes an upgrade request that arrives byte by byte after the headers timeout', async () => {
    await start({ timeouts: { headersMs: 300 } });
    const slow = open();
    let at = 0;
    const drip = setInterval(() => slow.socket.write(upgrade[at++ % upgrade.length]!), 20);
    await until(slow.closed, { what: 'the end', timeoutMs: 2_000 });
    clearInterval(drip);
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408|^$/);
  });

  it('answers 431 to headers above the limit', async () => {
    await start();
    const large = open();
    large.socket.write(`${upgrade}x-large: ${'x'.repeat(20_000)}\r\n\r\n`);
    await until(large.closed, { what: 'the end' });
    expect(large.text()).toMatch(/^HTTP\/1\.1 431/);
  });

  it('leaves no socket behind a refused upgrade, also when the client keeps its half open', async () => {
    await start();
    const serverSides: { destroyed: boolean }[] = [];
    server.serve({
      handle: () => undefined,
      upgrade: (_request, socket) => {
        serverSides.push(socket);
        refuseUpgrade(socket, new TidegateError('TOO_MANY_CONNECTIONS', 'Too many.'));
      },
    });
    const halfOpen = open();
    halfOpen.socket.write(`${upgrade}\r\n`);
    await until(() => halfOpen.text().includes('Too many.'), { what: 'the answer' });
    expect(halfOpen.text()).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\n/);
    expect(halfOpen.text()).toContain('retry-after: 1');
    expect(halfOpen.text()).toContain('{"error":{"code":"TOO_MANY_CONNECTIONS","message":"Too many."}}');
    await until(() => serverSides[0]!.destroyed, { what: 'our side to be gone' });
  });

  it('refuses an upgrade with 503 before it serves, and with 404 when its listener takes none', async () => {
    await start();
    const early = open();
    early.socket.write(`${upgrade}\r\n`);
    await until(early.closed, { what: 'the refusal' });
    expect(early.text()).toMatch(/^HTTP\/1\.1 503/);
    server.serve({ handle: () => undefined });
    const late = open();
    late.socket.write(`${upgrade}\r\n`);
    await until(late.closed, { what: 'the refusal' });
    expect(late.text()).toMatch(/^HTTP\/1\.1 404/);
  });

  it('ignores an upgrade to another protocol than WebSocket and answers over HTTP/1.1', async () => {
    await start();
    const upgrades: string[] = [];
    server.serve({
      handle: (request, response) =>
        void readBody(request, 100).then((body) => response.end(`${request.url} ${body.toString()}`)),
      upgrade: (request, socket) => {
        upgrades.push(request.headers.upgrade!);
        socket.destroy();
      },
    });
    const answered = async (head: string, body = ''): Promise<string> => {
      const client = open();
      client.socket.write(`${head}\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
      await until(() => client.closed() || client.text().includes('/x'), { what: 'the answer' });
      return client.text();
    };
    const h2c = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk';
    expect(await answered(`POST /x HTTP/1.1\r\n${h2c}`, 'hello')).toMatch(/^HTTP\/1\.1 200 [^]*\/x hello$/);
    expect(await answered(`GET /x HTTP/1.1\r\n${h2c}`)).toMatch(/^HTTP\/1\.1 200 /);
    const webSocket = 'connection: upgrade\r\nupgrade: websocket';
    expect(await answered(`POST /x HTTP/1.1\r\n${webSocket}`, 'hello')).toMatch(/\/x hello$/);
    expect(await answered(`GET /x HTTP/1.0\r\n${webSocket}`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(upgrades).toEqual([]);
    await answered('GET /x HTTP/1.1\r\nconnection: upgrade\r\nupgrade: h2c, WebSocket');
    expect(upgrades).toEqual(['websocket']);
  });

  it('keeps an idle connection for longer than load balancers do, and says so', async () => {
    await start({ timeouts: { headersMs: 200 } });
    const client = open();
    client.socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(() => client.text().includes('UNAVAILABLE'), { what: 'the answer' });
    expect(client.text().toLowerCase()).toContain('keep-alive: timeout=65\r\n');
    // The headers timeout starts with the next request, not with the end of the last one.
    await delay(600);
    expect(client.closed()).toBe(false);
    client.socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(() => client.text().split('UNAVAILABLE').length === 3, { what: 'the second answer' });
  });

  it('closes an idle connection after its configured timeout', async () => {
    await start({ timeouts: { headersMs: 1_000, keepAliveMs: 200 } });
    const client = open();
    client.socket.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    await until(client.closed, { what: 'the end', timeoutMs: 3_000 });
  });

  it('drains its listener before it stops accepting connections', async () => {
    await start();
    const drained = Promise.withResolvers<void>();
    server.serve({
      handle: (_request, response) => void response.end('hello'),
      drain: () => drained.promise,
    });
    const stopped = server.stop(0);
    expect(await (await fetch(server.url)).text()).toBe('hello');
    drained.resolve();
    await stopped;
    await expect(fetch(server.url)).rejects.toThrow('fetch failed');
  });
});
