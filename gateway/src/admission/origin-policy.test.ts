import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createOriginPolicy } from './origin-policy.ts';

describe('whether a page may connect', () => {
  const policy = createOriginPolicy(['https://shop.example']);

  it.each<[string, string | undefined, string | undefined, boolean]>([
    ['yes: no Origin, so it is no browser', undefined, 'gateway.example', true],
    ['yes: a page of the same host', 'https://gateway.example', 'gateway.example', true],
    [
      'yes: the same host, its default port spelled out',
      'https://gateway.example',
      'gateway.example:443',
      true,
    ],
    ['yes: the same host and port', 'http://127.0.0.1:4000', '127.0.0.1:4000', true],
    ['yes: a listed origin', 'https://shop.example', 'gateway.example', true],
    ['no: another host', 'https://evil.example', 'gateway.example', false],
    ['no: another port', 'http://127.0.0.1:4001', '127.0.0.1:4000', false],
    ['no: a listed host by another scheme', 'http://shop.example', 'gateway.example', false],
    ['no: a host that only begins so', 'https://gateway.example.evil.example', 'gateway.example', false],
    ['no: a sandboxed or local page', 'null', 'gateway.example', false],
    ['no: what is no origin', 'gateway.example', 'gateway.example', false],
    ['no: no host to compare with', 'https://gateway.example', undefined, false],
  ])('%s', (_title, origin, host, expected) => {
    expect(policy.allows({ headers: { origin, host } } as unknown as IncomingMessage)).toBe(expected);
  });
});
