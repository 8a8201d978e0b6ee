import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientCredentialsToken } from './oauth-token.ts';

describe('a token by client credentials', () => {
  let server: Server;
  let requests: number;
  let answer: { status: number; body: string };
  let token: () => Promise<string>;

  beforeEach(async () => {
    requests = 0;
    server = createServer((_request, response) => {
      requests += 1;
      const body = answer.body.replace('N', String(requests));
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    answer = { status: 200, body: '{"access_token":"token-N","expires_in":100}' };
    const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    token = clientCredentialsToken({ tokenUrl, clientId: 'shop', clientSecret: 's' });
  });
  afterEach(() => {
    vi.useRealTimers();
    server.close();
  });

  it('is fetched once for all that ask at the same time, and again after four fifths of its life', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    expect(await Promise.all([token(), token()])).toEqual(['token-1', 'token-1']);
    vi.advanceTimersByTime(79_000);
    expect(await token()).toBe('token-1');
    vi.advanceTimersByTime(2_000);
    expect(await token()).toBe('token-2');
  });

  it('without a lifetime is fetched for each login', async () => {
    answer = { status: 200, body: '{"access_token":"token-N"}' };
    expect([await token(), await token()]).toEqual(['token-1', 'token-2']);
  });

  it.each([
    [401, '{"error":"invalid_client"}'],
    [200, '{"access_token":""}'],
    [200, 'no JSON'],
  ])('is UNAVAILABLE after %i %s, and asked for again', async (status, body) => {
    const good = answer;
    answer = { status, body };
    await expect(token()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    answer = good;
    expect(await token()).toBe('token-2');
  });
});
