import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { answerPreflight, createOriginPolicy } from './origin-policy.ts';

describe('the origin policy', () => {
  const policy = createOriginPolicy(['https://shop.example', 'capacitor://localhost', 'app://-']);

  it.each<[string, string | undefined, string | undefined, boolean]>([
    ['allows a request without Origin, which is no browser', undefined, 'gateway.example', true],
    ['allows a page of the same host', 'https://gateway.example', 'gateway.example', true],
    [
      'allows the same host with an explicit default port',
      'https://gateway.example',
      'gateway.example:443',
      true,
    ],
    ['allows the same host and port', 'http://127.0.0.1:4000', '127.0.0.1:4000', true],
    ['allows a listed origin', 'https://shop.example', 'gateway.example', true],
    ['allows a listed origin of an app', 'capacitor://localhost', 'gateway.example', true],
    ['allows a listed origin of an app without a host name', 'app://-', 'gateway.example', true],
    ['refuses another origin of an app', 'capacitor://other', 'gateway.example', false],
    ['refuses an app that claims the same host', 'app://gateway.example', 'gateway.example', false],
    ['refuses another host', 'https://evil.example', 'gateway.example', false],
    ['refuses another port', 'http://127.0.0.1:4001', '127.0.0.1:4000', false],
    ['refuses a listed host with another scheme', 'http://shop.example', 'gateway.example', false],
    [
      'refuses a host with an allowed host as its prefix',
      'https://gateway.example.evil.example',
      'gateway.example',
      false,
    ],
    ['refuses a sandboxed or local page', 'null', 'gateway.example', false],
    ['refuses an Origin without a scheme', 'gateway.example', 'gateway.example', false],
    ['refuses a page when the request has no Host', 'https://gateway.example', undefined, false],
  ])('%s', (_title, origin, host, expected) => {
    expect(policy.allows({ headers: { origin, host } } as unknown as IncomingMessage)).toBe(expected);
  });
});

describe('CORS', () => {
  const origin = 'https://shop.example';
  const policy = createOriginPolicy([origin]);

  async function answer(method: string, headers: Record<string, string>): Promise<Response> {
    const server = createServer((request, response) => {
      if (answerPreflight(request, response, policy)) return;
      policy.allowReading(request, response);
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      return await fetch(`http://127.0.0.1:${port}`, { method, headers });
    } finally {
      server.close();
    }
  }

  it('lets a page of a listed origin send credentials and trace context', async () => {
    const { status, headers } = await answer('OPTIONS', { origin, 'access-control-request-method': 'POST' });
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    const allowed = headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining(['authorization', 'traceparent', 'tracestate', 'baggage']),
    );
  });

  it('lets a page of a listed origin read answers', async () => {
    const { headers } = await answer('POST', { origin });
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toBe('origin');
  });

  it.each(['OPTIONS', 'POST'])('allows nothing to a page of another origin: %s', async (method) => {
    const evil = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const { headers } = await answer(method, evil);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(headers.get('vary')).toBe('origin');
  });
});
