import { expect, it } from 'vitest';
import { parseEndpoint } from './endpoint.ts';

it.each([
  [
    '/graphql/web',
    'https://shop.example/articles/1',
    'https://shop.example/graphql/web',
    'wss://shop.example/graphql/web',
  ],
  [
    'http://127.0.0.1:4000/graphql/web',
    undefined,
    'http://127.0.0.1:4000/graphql/web',
    'ws://127.0.0.1:4000/graphql/web',
  ],
  [
    'wss://edge.example/graphql/web?v=1',
    undefined,
    'https://edge.example/graphql/web?v=1',
    'wss://edge.example/graphql/web?v=1',
  ],
])('resolves %s on the page %s to %s and %s', (url, base, httpUrl, webSocketUrl) => {
  expect(parseEndpoint(url, base)).toEqual({ httpUrl, webSocketUrl });
});

it('refuses another scheme than http(s) and ws(s)', () => {
  expect(() => parseEndpoint('ftp://example.com/', undefined)).toThrow(TypeError);
});
