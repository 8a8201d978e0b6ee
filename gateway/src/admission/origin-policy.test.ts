import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createOriginPolicy } from './origin-policy.ts';

describe('the origin policy', () => {
  const policy = createOriginPolicy(['https://shop.example']);

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
