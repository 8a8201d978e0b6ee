import { createFetchListener, startHttpServer, type HttpServer } from '@tidegate/runtime/http';
import { silentLogger } from '@tidegate/runtime/telemetry';
import type { Route } from '@tidegate/gateway';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from 'undici';
import { createDevLogin, noDevLogin } from './dev-login.ts';

const SECRET = 's'.repeat(32);
const LOGIN = { sub: 'customer-1', role: 'customer' };

describe('POST /dev/token', () => {
  let server: HttpServer;
  let route: Route = createDevLogin(SECRET);

  beforeAll(async () => {
    server = await startHttpServer({ logger: silentLogger });
    const handle = async (request: Request, peer?: { address: string | undefined }) =>
      (await route(request, peer)) ?? new Response('the page');
    server.serve(createFetchListener(handle, silentLogger));
  });
  afterAll(() => server.stop(0));

  async function ask(headers: Record<string, string> = {}, body: unknown = LOGIN, method = 'POST') {
    const response = await request(`${server.url}/dev/token`, {
      ...{ method, headers: { 'content-type': 'application/json', ...headers } },
      ...(method === 'POST' && { body: JSON.stringify(body) }),
    });
    return { status: response.statusCode, body: (await response.body.json()) as { token?: string } };
  }

  it('signs a token for a program of this machine', async () => {
    const { status, body } = await ask();
    expect(status).toBe(200);
    expect(decodeJwt(body.token!)).toMatchObject(LOGIN);
    expect((await ask({ host: 'localhost:4000' })).status).toBe(200);
  });

  it.each([
    { forwarded: 'for=192.0.2.1' },
    { via: '1.1 proxy' },
    { 'x-forwarded-for': '127.0.0.1' },
    { 'X-Forwarded-Host': 'localhost' },
    { 'x-forwarded-proto': 'https' },
    { 'x-real-ip': '127.0.0.1' },
    { 'cf-connecting-ip': '192.0.2.1' },
    { 'true-client-ip': '' },
  ])('does not exist behind a proxy: %j', async (headers) => {
    const { status, body } = await ask(headers);
    expect(status).toBe(404);
    expect(body).not.toHaveProperty('token');
  });

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '10.127.0.0.1', '2001:db8::1', '', undefined])(
    'does not exist for the peer %j',
    async (address) => {
      const init = { method: 'POST', headers: { host: 'localhost', 'content-type': 'application/json' } };
      const asked = () => new Request('http://localhost/dev/token', { ...init, body: JSON.stringify(LOGIN) });
      expect((await createDevLogin(SECRET)(asked(), { address }))?.status).toBe(404);
      expect((await createDevLogin(SECRET)(asked()))?.status).toBe(404);
      expect((await createDevLogin(SECRET)(asked(), { address: '::ffff:127.0.0.1' }))?.status).toBe(200);
    },
  );

  it.each<[number, Record<string, string>, unknown, string]>([
    [403, { host: 'attacker.example' }, LOGIN, 'POST'],
    [415, { 'content-type': 'text/plain' }, LOGIN, 'POST'],
    [400, {}, { sub: 'customer-1', role: 'system' }, 'POST'],
    [400, {}, { role: 'customer' }, 'POST'],
    [413, {}, { ...LOGIN, more: 'x'.repeat(10_000) }, 'POST'],
    [405, {}, LOGIN, 'GET'],
  ])('answers %i to headers %j and body %j by %s', async (status, headers, body, method) => {
    expect((await ask(headers, body, method)).status).toBe(status);
  });

  it('is 404 where it is switched off, and not the page', async () => {
    route = noDevLogin;
    expect((await ask()).status).toBe(404);
    route = createDevLogin(SECRET);
  });
});
