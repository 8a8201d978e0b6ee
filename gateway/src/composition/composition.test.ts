import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Logger } from '@tidegate/runtime/telemetry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createComposition, type Composition } from './index.ts';

let root: string;
let warnings: string[];
let composition: Composition;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'composition-'));
  warnings = [];
  const logger = {
    info: () => {},
    warn: (_fields: object, text: string) => warnings.push(text),
  } as unknown as Logger;
  deploy(
    'shell',
    { 'shell-aaaaaaaa.js': 'shell();', 'preact-aaaaaaaa.js': 'preact();', 'shell-aaaaaaaa.css': 'p{}' },
    {
      preact: 'preact-aaaaaaaa.js',
    },
  );
  deploy(
    'orders',
    { 'orders-aaaaaaaa.js': 'orders();', 'orders-aaaaaaaa.css': 'a{}' },
    {
      '@mfe/orders': 'orders-aaaaaaaa.js',
    },
  );
  composition = createComposition({ root, logger });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function deploy(
  name: string,
  files: Record<string, string>,
  exposes: Record<string, string>,
  imports: string[] = [],
) {
  const dist = join(root, name, 'dist');
  mkdirSync(dist, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(dist, file), content);
  const names = Object.keys(files);
  const hash = (text: string) => `sha384-${createHash('sha384').update(text).digest('base64')}`;
  const manifest = {
    name,
    title: name,
    entry: names.find((file) => file.endsWith('.js')),
    css: names.filter((file) => file.endsWith('.css')),
    integrity: Object.fromEntries(Object.entries(files).map(([file, text]) => [file, hash(text)])),
    imports,
    exposes,
  };
  writeFileSync(join(dist, 'manifest.json'), JSON.stringify(manifest));
}

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  const response = await composition.handle(new Request(`http://edge.example${path}`, { headers, method }));
  if (!response) throw new Error(`${path} is somebody else's`);
  return response;
}

async function importMap(): Promise<{ imports: Record<string, string>; integrity: Record<string, string> }> {
  const text = await (await get('/')).text();
  const json = /<script type="importmap"[^>]*>(.*?)<\/script>/.exec(text)?.[1] ?? '';
  return JSON.parse(json) as { imports: Record<string, string>; integrity: Record<string, string> };
}

describe('the page', () => {
  it('has one import map of everything that the manifests expose, with the hash of each module', async () => {
    const { imports, integrity } = await importMap();
    expect(imports).toEqual({
      preact: '/mfe/shell/preact-aaaaaaaa.js',
      '@mfe/orders': '/mfe/orders/orders-aaaaaaaa.js',
    });
    const hash = createHash('sha384').update('orders();').digest('base64');
    expect(integrity['/mfe/orders/orders-aaaaaaaa.js']).toBe(`sha384-${hash}`);
  });

  it('names its shell, its styles and its remotes', async () => {
    const text = await (await get('/')).text();
    expect(text).toContain(
      '<link rel="modulepreload" href="/mfe/shell/shell-aaaaaaaa.js" integrity="sha384-',
    );
    expect(text).toContain('<link rel="stylesheet" href="/mfe/shell/shell-aaaaaaaa.css" integrity="sha384-');
    const { remotes } = (await (await get('/mfe/composition.json')).json()) as { remotes: object };
    expect(remotes).toMatchObject({
      orders: {
        specifier: '@mfe/orders',
        url: '/mfe/orders/orders-aaaaaaaa.js',
        css: [{ url: '/mfe/orders/orders-aaaaaaaa.css' }],
      },
    });
  });

  it('allows only its own scripts, by a nonce that is new each time', async () => {
    const responses = [await get('/'), await get('/')];
    const nonces = responses.map((response) => {
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("connect-src 'self' ws://edge.example");
      return /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    });
    expect(nonces[0]).not.toBe(nonces[1]);
    expect(await responses[0]?.text()).toContain(`<script type="importmap" nonce="${nonces[0]}">`);
    expect(responses[0]?.headers.get('integrity-policy')).toBe('blocked-destinations=(script)');
  });

  it('is served for every client route that a browser asks for, and for nothing of others', async () => {
    const html = { accept: 'text/html,application/xhtml+xml' };
    expect((await get('/orders/42', html)).status).toBe(200);
    for (const path of ['/graphql/web', '/webhooks/openapi.json', '/healthz', '/favicon.ico', '/dev/token']) {
      expect(
        await composition.handle(new Request(`http://edge.example${path}`, { headers: html })),
        path,
      ).toBeUndefined();
    }
    expect(await composition.handle(new Request('http://edge.example/orders/42'))).toBeUndefined();
    expect(await composition.handle(new Request('http://edge.example/', { method: 'POST' }))).toBeUndefined();
  });

  it('takes up a new deployment without a restart', async () => {
    await importMap();
    deploy('orders', { 'orders-bbbbbbbb.js': 'newer();' }, { '@mfe/orders': 'orders-bbbbbbbb.js' });
    expect((await importMap()).imports['@mfe/orders']).toBe('/mfe/orders/orders-bbbbbbbb.js');
  });

  it.each([
    ['garbage', '{"name":'],
    ['another’s manifest', '{"name":"shell"}'],
    ['an empty file', ''],
  ])('keeps the last good manifest when the new one is %s, and warns once', async (_what, text) => {
    await importMap();
    writeFileSync(join(root, 'orders', 'dist', 'manifest.json'), text);
    expect((await importMap()).imports['@mfe/orders']).toBe('/mfe/orders/orders-aaaaaaaa.js');
    await importMap();
    expect(warnings).toEqual(['unusable manifest: the last good one stays']);
  });

  it('keeps the last good manifest and its files when the build has vanished', async () => {
    await importMap();
    await get('/mfe/orders/orders-aaaaaaaa.js');
    rmSync(join(root, 'orders', 'dist'), { recursive: true });
    expect((await importMap()).imports['@mfe/orders']).toBe('/mfe/orders/orders-aaaaaaaa.js');
    expect(await (await get('/mfe/orders/orders-aaaaaaaa.js')).text()).toBe('orders();');
  });

  it('does without a remote that never had a good manifest', async () => {
    mkdirSync(join(root, 'stock', 'dist'), { recursive: true });
    writeFileSync(join(root, 'stock', 'dist', 'manifest.json'), 'garbage');
    expect(Object.keys((await importMap()).imports)).toEqual(['@mfe/orders', 'preact']);
    expect(warnings).toEqual(['unusable manifest: the page has a placeholder instead']);
  });

  it('lets no remote redefine a shared library', async () => {
    const files = { 'evil-aaaaaaaa.js': 'evil();' };
    deploy('evil', files, { '@mfe/evil': 'evil-aaaaaaaa.js', preact: 'evil-aaaaaaaa.js' });
    expect((await importMap()).imports['preact']).toBe('/mfe/shell/preact-aaaaaaaa.js');
    expect(warnings).toHaveLength(1);
  });

  it('warns of an import that nobody provides', async () => {
    deploy('orders', { 'orders-cccccccc.js': 'x' }, { '@mfe/orders': 'orders-cccccccc.js' }, [
      'preact',
      'lodash',
    ]);
    await importMap();
    await importMap();
    expect(warnings).toEqual(['a micro-frontend imports what nobody on the page provides']);
  });

  it('says so, and to come back, when there never was a shell', async () => {
    rmSync(join(root, 'shell'), { recursive: true });
    const response = await get('/');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
  });
});

describe('a file', () => {
  const file = '/mfe/orders/orders-aaaaaaaa.js';

  it('with a hash in its name is kept for ever, the manifest is not', async () => {
    expect((await get(file)).headers.get('cache-control')).toContain('immutable');
    expect((await get(file)).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect((await get('/mfe/orders/manifest.json')).headers.get('cache-control')).toBe('no-cache');
  });

  it('comes packed as the browser likes, each form with its own tag', async () => {
    const brotli = await get(file, { 'accept-encoding': 'gzip, deflate, br' });
    expect(brotli.headers.get('content-encoding')).toBe('br');
    expect(brotliDecompressSync(await brotli.arrayBuffer()).toString()).toBe('orders();');
    const gzip = await get(file, { 'accept-encoding': 'gzip, br;q=0' });
    expect(gunzipSync(await gzip.arrayBuffer()).toString()).toBe('orders();');
    const plain = await get(file);
    expect(plain.headers.get('content-encoding')).toBeNull();
    const tags = [brotli, gzip, plain].map(({ headers }) => headers.get('etag'));
    expect(new Set(tags).size).toBe(3);
  });

  it('is not sent again to who has it', async () => {
    const etag = (await get(file)).headers.get('etag') ?? '';
    expect((await get(file, { 'if-none-match': `"other", W/${etag}` })).status).toBe(304);
    expect((await get(file, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('has no body for HEAD, and takes no other method', async () => {
    const head = await get(file, {}, 'HEAD');
    expect(head.headers.get('content-length')).toBe('9');
    expect(await head.text()).toBe('');
    expect((await get(file, {}, 'POST')).status).toBe(405);
  });

  it.each([
    '/mfe/orders/../../secret.json',
    '/mfe/orders/..%2f..%2fsecret.json',
    '/mfe/orders/%2e%2e/secret.json',
    '/mfe/..%5csecret.json',
    '/mfe/orders/sub/orders-aaaaaaaa.js',
    '/mfe/orders/.sources-hash',
    '/mfe/orders/link.js',
    '/mfe/orders/',
    '/mfe/nobody/x-aaaaaaaa.js',
  ])('outside the build is not found: %s', async (path) => {
    writeFileSync(join(root, 'secret.json'), 'secret');
    writeFileSync(join(root, 'orders', 'dist', '.sources-hash'), 'secret');
    symlinkSync(join(root, 'secret.json'), join(root, 'orders', 'dist', 'link.js'));
    const response = await composition.handle(new Request(`http://edge.example${path}`));
    expect(response === undefined || response.status === 404).toBe(true);
    expect(await response?.text()).not.toBe('secret');
  });
});
