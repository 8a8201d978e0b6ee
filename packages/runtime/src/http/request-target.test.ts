import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../telemetry/index.ts';
import { createFetchListener, startHttpServer, type HttpServer } from './http-server.ts';

describe('the target and the host of a request', () => {
  let server: HttpServer;

  beforeEach(async () => {
    server = await startHttpServer({ logger: silentLogger });
    const listener = createFetchListener(async ({ url }) => new Response(url), silentLogger);
    server.serve({
      ...listener,
      upgrade: ({ url }, socket) => void socket.end(`HTTP/1.1 101 Switching Protocols\r\n\r\n${url}`),
    });
  });

  afterEach(() => server.stop(0));

  /** Sends a request head as it is and returns the status and the body. */
  async function send(...lines: string[]): Promise<[number, string]> {
    const socket = connect({ port: server.port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.end(`${lines.join('\r\n')}\r\n\r\n`);
    const answer = await text(socket);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return [Number(head.split(' ', 2)[1]), body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')];
  }

  const get = (target: string, host: string) =>
    send(`GET ${target} HTTP/1.1`, `host: ${host}`, 'connection: close');

  it.each([
    ['/x?y=1', 'a', 'http://a/x?y=1'],
    ['/x', 'a.example:8080', 'http://a.example:8080/x'],
    ['/x', '[::1]:4000', 'http://[::1]:4000/x'],
    ['/x', 'gateway_web', 'http://gateway_web/x'],
    ['//', 'a', 'http://a//'],
    ['///x', 'a', 'http://a///x'],
    ['/%', 'a', 'http://a/%'],
    ['/http://b/', 'a', 'http://a/http://b/'],
    ['http://b.example:81/x?y=1', 'a', 'http://b.example:81/x?y=1'],
    ['HTTPS://b.example', 'a', 'http://b.example/'],
    ['http://b.example?y', 'a', 'http://b.example/?y'],
  ])('%s at the host %s is %s', async (target, host, url) => {
    expect(await get(target, host)).toEqual([200, url]);
  });

  it.each([
    ['/', 'a b'],
    ['/', ''],
    ['/', '['],
    ['/', '[::1'],
    ['/', 'a:99999'],
    ['/', 'a:-1'],
    ['/', 'a:b'],
    ['/', 'a/b'],
    ['/', 'user@a'],
    ['/', String.raw`a\b`],
    ['/', '1.2.3.999'],
    ['/', '<script>'],
    ['/', '%00'],
    ['/healthz', '['],
    ['/graphql/web', 'a:99999'],
    ['http://', 'a'],
    ['http://[/x', 'a'],
    ['http://a:99999/', 'a'],
    ['http://user:password@a/', 'a'],
    ['ftp://a/', 'a'],
    ['x', 'a'],
    ['*', 'a'],
  ])('%s at the host %j is answered with 400, without a stack', async (target, host) => {
    const [status, body] = await get(target, host);
    expect(status).toBe(400);
    expect(body).not.toMatch(/\.[jt]s|node:|Error:/);
  });

  it('is refused with 400 and a code, as every error', async () => {
    const [, body] = await get('/', 'a b');
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });

  it('is refused when there are several hosts or, in HTTP/1.1, none', async () => {
    expect((await send('GET / HTTP/1.1', 'host: a', 'Host: a', 'connection: close'))[0]).toBe(400);
    expect((await send('GET / HTTP/1.1', 'connection: close'))[0]).toBe(400);
    expect((await send('GET /x HTTP/1.0'))[1]).toMatch(/^http:\/\/\S+\/x$/);
  });

  it('may be the whole server for OPTIONS', async () => {
    expect(await send('OPTIONS * HTTP/1.1', 'host: a', 'connection: close')).toEqual([204, '']);
  });

  it('is never another server: CONNECT is refused', async () => {
    expect((await send('CONNECT a.example:443 HTTP/1.1', 'host: a.example:443'))[0]).toBe(405);
  });

  it('is checked for a WebSocket too', async () => {
    const upgrade = ['connection: upgrade', 'upgrade: websocket'];
    expect((await send('GET /x HTTP/1.1', 'host: [', ...upgrade))[0]).toBe(400);
    expect(await send('GET http://b/x HTTP/1.1', 'host: a', ...upgrade)).toEqual([101, '/x']);
  });
});
