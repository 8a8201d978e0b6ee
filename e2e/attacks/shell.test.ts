/** Promise: every request line, host and header has its HTTP answer, never a stack, and a fault closes its own socket. */
import { until } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AttackedPlatform, describeAttacks, type Outcome, type Row } from './attacked-platform.ts';

const ME = JSON.stringify({ query: '{ me { id } }' });
const ME_PARAMETER = 'query=%7Bme%7Bid%7D%7D';

/** A request that closes its connection. */
function request(target: string, host: string | undefined, lines: readonly string[] = [], body = ''): string {
  const method = body === '' ? 'GET' : 'POST';
  const head = [
    `${method} ${target} HTTP/1.1`,
    ...(host === undefined ? [] : [`host: ${host}`]),
    ...(body === '' ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
    'connection: close',
    ...lines,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

const get = (target: string, host?: string, ...lines: string[]) => request(target, host ?? 'a', lines);
const post = (target: string, host?: string, ...lines: string[]) => request(target, host ?? 'a', lines, ME);
const bare = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;

/** An upgrade; each line replaces the standard one of its name. */
function upgrade(target: string, ...lines: string[]): string {
  const standard = [
    'host: a',
    'upgrade: websocket',
    'connection: upgrade',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-protocol: graphql-transport-ws',
  ];
  const name = (line: string): string => line.split(':', 1)[0]!;
  const kept = standard.filter((line) => !lines.some((each) => name(each) === name(line)));
  return bare(`GET ${target} HTTP/1.1`, ...kept, ...lines);
}

const malformed = '400 BAD_REQUEST';

const targets: readonly Row<string>[] = [
  ['an absolute target is read as its path', post('http://a/graphql/web'), '200'],
  ['an absolute target has any case in its scheme', post('HTTP://A/graphql/web'), '200'],
  ['an absolute https target is read as its path', post('https://a/graphql/web'), '200'],
  ['an absolute target of /healthz', get('http://a/healthz'), '200'],
  ['an absolute target without a path is the start page', get('http://a'), '200'],
  ['an absolute target without a host', get('http://'), malformed],
  ['an absolute target with a port beyond 65535', get('http://a:99999/'), malformed],
  ['an absolute target with a user', get('http://user:secret@a/'), malformed],
  ['an absolute target of another scheme', get('ftp://a/'), malformed],
  ['an absolute target of a file', get('file:///etc/passwd'), malformed],
  ['a target without a slash', get('healthz'), '400'],
  ['a GET of the whole server', get('*'), malformed],
  ['OPTIONS of the whole server', bare('OPTIONS * HTTP/1.1', 'host: a', 'connection: close'), '204'],
  ['CONNECT is not a method here', bare('CONNECT a:443 HTTP/1.1', 'host: a:443'), '405 METHOD_NOT_ALLOWED'],
  [
    'TRACE is not a method here',
    bare('TRACE /graphql/web HTTP/1.1', 'host: a', 'connection: close'),
    '405 METHOD_NOT_ALLOWED',
  ],
  ['a path of a bad escape', get('/%'), '404 NOT_FOUND'],
  ['a path of a bad escape below the API', get('/api/%'), '404 NOT_FOUND'],
  ['a path out of the folder', get('/../../../../etc/passwd'), '404 NOT_FOUND'],
  ['a path out of the folder with escapes', get('/%2e%2e/%2e%2e/%2e%2e/etc/passwd'), '404 NOT_FOUND'],
  ['a path out of the folder with escaped slashes', get('/..%2f..%2f..%2fetc%2fpasswd'), '404 NOT_FOUND'],
  ['a path with a NUL', get('/%00'), '404 NOT_FOUND'],
  ['a path of an unknown page', get('/no-such-page'), '404 NOT_FOUND'],
  [
    'a page that is unknown is the application with 404',
    get('/no-such-page', 'a', 'accept: text/html'),
    '404',
  ],
  ['a path of an unknown API', get('/api/none'), '404 NOT_FOUND'],
  ['a path below a GraphQL address', post('/graphql/web/more'), '404 NOT_FOUND'],
  ['a path of an unknown BFF', post('/graphql/none'), '404 NOT_FOUND'],
];

const hosts: readonly Row<string>[] = [
  ['a host with a space', post('/graphql/web', 'a b'), malformed],
  ['a host of an open bracket', post('/graphql/web', '['), malformed],
  ['a host with a port beyond 65535', post('/graphql/web', 'a:99999'), malformed],
  ['a host with a negative port', post('/graphql/web', 'a:-1'), malformed],
  ['a host with a port of letters', post('/graphql/web', 'a:http'), malformed],
  ['a host with a path', post('/graphql/web', 'a/b'), malformed],
  ['a host with a user', post('/graphql/web', 'user@a'), malformed],
  ['a host with a query', post('/graphql/web', 'a?b'), malformed],
  ['a host of markup', get('/', '<script>'), malformed],
  ['an empty host', post('/graphql/web', ''), malformed],
  ['a bad host of /healthz', get('/healthz', '['), malformed],
  ['a bad host of a page', get('/', 'a:99999'), malformed],
  [
    'a bad host of an event stream',
    get(`/graphql/web?${ME_PARAMETER}`, '[', 'accept: text/event-stream'),
    malformed,
  ],
  ['an IPv6 host is taken', post('/graphql/web', '[::1]:4000'), '200'],
  ['a second host', get('/healthz', 'a', 'Host: b'), malformed],
  ['no host in HTTP/1.1', request('/healthz', undefined), '400'],
  ['no host in HTTP/1.0 is allowed', bare('GET /healthz HTTP/1.0'), '200'],
  ['a request line without a version', bare('GET /'), malformed],
  ['HTTP/0.9', bare('GET /healthz HTTP/0.9'), malformed],
  ['HTTP/2.0 in a request line', bare('GET /healthz HTTP/2.0', 'host: a'), malformed],
  ['no host in HTTP/1.0 on a GraphQL address', bare(`GET /graphql/web?${ME_PARAMETER} HTTP/1.0`), '200'],
];

const upgrades: readonly Row<string>[] = [
  [
    '`Upgrade: h2c` is ignored on /healthz',
    get('/healthz', 'a', 'upgrade: h2c', 'http2-settings: AAMAAABkAAQAoAAAAAIAAAAA'),
    '200',
  ],
  [
    '`Upgrade: h2c` is ignored on a GraphQL address',
    post('/graphql/web', 'a', 'connection: upgrade', 'upgrade: h2c'),
    '200',
  ],
  [
    '`Upgrade: h2c` is ignored on a page',
    get('/', 'a', 'accept: text/html', 'connection: upgrade', 'upgrade: h2c'),
    '200',
  ],
  ['`Upgrade: TLS/1.0` is ignored', get('/healthz', 'a', 'connection: upgrade', 'upgrade: TLS/1.0'), '200'],
  ['a WebSocket on a GraphQL address', upgrade('/graphql/web'), '101'],
  ['a WebSocket by an absolute target', upgrade('http://a/graphql/web'), '101'],
  ['a WebSocket in another case', upgrade('/graphql/web', 'upgrade: WebSocket'), '101'],
  ['a WebSocket of an unknown BFF', upgrade('/graphql/none'), '404 NOT_FOUND'],
  ['a WebSocket of a bad host', upgrade('/graphql/web', 'host: ['), '400 BAD_REQUEST'],
  ['a WebSocket of another version', upgrade('/graphql/web', 'sec-websocket-version: 7'), '400'],
  ['a WebSocket of a short key', upgrade('/graphql/web', 'sec-websocket-key: abc'), '400'],
  [
    'a WebSocket of a page of another site',
    upgrade('/graphql/web', 'origin: https://evil.example'),
    '403 FORBIDDEN',
  ],
  ['a WebSocket of the origin null', upgrade('/graphql/web', 'origin: null'), '403 FORBIDDEN'],
  [
    'a WebSocket of an origin that only begins alike',
    upgrade('/graphql/web', 'origin: http://a.evil.example'),
    '403 FORBIDDEN',
  ],
  [
    'a WebSocket of a malformed token',
    upgrade('/graphql/web', 'authorization: Bearer x.y.z'),
    '401 UNAUTHENTICATED',
  ],
];

const smuggled: readonly Row<string>[] = [
  ['a length and chunks', post('/graphql/web', 'a', 'transfer-encoding: chunked'), '400'],
  ['two lengths', post('/graphql/web', 'a', 'content-length: 5'), '400'],
  ['a negative length', bare('POST /graphql/web HTTP/1.1', 'host: a', 'content-length: -1'), '400'],
  ['a length of letters', bare('POST /graphql/web HTTP/1.1', 'host: a', 'content-length: many'), '400'],
  [
    'a chunk size of letters',
    `${bare('POST /graphql/web HTTP/1.1', 'host: a', 'content-type: application/json', 'transfer-encoding: chunked')}zz\r\n`,
    '400',
  ],
  ['a header without a colon', bare('GET /healthz HTTP/1.1', 'host: a', 'nonsense'), '400'],
  ['a header name with a space', bare('GET /healthz HTTP/1.1', 'host: a', 'x y: 1'), '400'],
  ['a header with a NUL', bare('GET /healthz HTTP/1.1', 'host: a', 'x: \0'), '400'],
  ['a folded header', bare('GET /healthz HTTP/1.1', 'host: a', 'x: 1', ' 2'), '400'],
  ['a version of the future', bare('GET /healthz HTTP/9.9', 'host: a'), '400'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400'],
  ['a TLS hello on the plain port', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', '400'],
  ['a head of 20 KiB', get('/healthz', 'a', `x: ${'x'.repeat(20_000)}`), '431'],
  ['a target of 20 KiB', get(`/healthz?${'x'.repeat(20_000)}`), '431'],
];

describe('the HTTP shell answers', () => {
  let world: AttackedPlatform;

  beforeAll(async () => {
    world = await AttackedPlatform.start();
    const page = (): Promise<Outcome> => world.send({ path: '/', headers: { accept: 'text/html' } });
    await until(async () => (await page()) === '200', { what: 'the application', timeoutMs: 30_000 });
  });

  afterAll(() => world?.[Symbol.asyncDispose]());

  const send = (bytes: string): Promise<Outcome> => world.sendRaw(bytes);

  describeAttacks('targets', targets, send);
  describeAttacks('hosts', hosts, send);
  describeAttacks('upgrades', upgrades, send);
  describeAttacks('malformed heads', smuggled, send);

  it('and is as it was before', async () => {
    expect(await world.harm()).toEqual([]);
  });
});
