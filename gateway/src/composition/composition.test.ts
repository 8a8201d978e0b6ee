import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Logger } from '@tidegate/runtime/telemetry';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createComposition, type Composition } from './composition.ts';

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
    'alpha',
    { 'alpha-aaaaaaaa.js': 'alpha();', 'alpha-aaaaaaaa.css': 'a{}' },
    {
      '@mfe/alpha': 'alpha-aaaaaaaa.js',
    },
  );
  composition = createComposition({ root, logger });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function deploy(
  name: string,
  files: Record<string, string>,
  exposes: Record<string, string>,
  { imports = [], pages }: { imports?: string[]; pages?: string[] } = {},
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
    pages,
  };
  writeFileSync(join(dist, 'manifest.json'), JSON.stringify(manifest));
}

async function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  const response = await composition.handle(new Request(`http://edge.example${path}`, { headers, method }));
  if (!response) throw new Error(`${path} is not answered`);
  return response;
}

async function importMap(): Promise<{ imports: Record<string, string>; integrity: Record<string, string> }> {
  const text = await (await get('/')).text();
  const json = /<script type="importmap"[^>]*>(.*?)<\/script>/.exec(text)?.[1] ?? '';
  return JSON.parse(json) as { imports: Record<string, string>; integrity: Record<string, string> };
}

describe('the page', () => {
  it('has an import map of all exposed specifiers, with the hash of each module', async () => {
    const { imports, integrity } = await importMap();
    expect(imports).toEqual({
      preact: '/mfe/shell/preact-aaaaaaaa.js',
      '@mfe/alpha': '/mfe/alpha/alpha-aaaaaaaa.js',
    });
    const hash = createHash('sha384').update('alpha();').digest('base64');
    expect(integrity['/mfe/alpha/alpha-aaaaaaaa.js']).toBe(`sha384-${hash}`);
  });

  it('links the script and the styles of its shell and lists its remotes', async () => {
    const text = await (await get('/')).text();
    expect(text).toContain(
      '<link rel="modulepreload" href="/mfe/shell/shell-aaaaaaaa.js" integrity="sha384-',
    );
    expect(text).toContain('<link rel="stylesheet" href="/mfe/shell/shell-aaaaaaaa.css" integrity="sha384-');
    const { remotes } = (await (await get('/mfe/composition.json')).json()) as { remotes: object };
    expect(remotes).toMatchObject({
      alpha: {
        specifier: '@mfe/alpha',
        url: '/mfe/alpha/alpha-aaaaaaaa.js',
        css: [{ url: '/mfe/alpha/alpha-aaaaaaaa.css' }],
      },
    });
  });

  it('allows only its own scripts, with a new CSP nonce for each response', async () => {
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

  it('is served for every client route that a browser navigates to, and for no reserved path', async () => {
    const html = { accept: 'text/html,application/xhtml+xml' };
    expect((await get('/alpha/42', html)).status).toBe(200);
    for (const path of [
      '/api',
      '/api/unknown',
      '/mfe',
      '/graphql/web',
      '/webhooks/openapi.json',
      '/healthz',
      '/favicon.ico',
      '/dev/token',
    ]) {
      expect(
        await composition.handle(new Request(`http://edge.example${path}`, { headers: html })),
        path,
      ).toBeUndefined();
    }
    expect(await composition.handle(new Request('http://edge.example/alpha/42'))).toBeUndefined();
    expect(await composition.handle(new Request('http://edge.example/', { method: 'POST' }))).toBeUndefined();
  });

  it('is served with 404 for a path that its shell does not list', async () => {
    const html = { accept: 'text/html' };
    expect((await get('/unknown', html)).status).toBe(200);
    const shell = { 'shell-bbbbbbbb.js': 'shell();' };
    deploy('shell', shell, {}, { pages: ['/', '/alpha', '/alpha/:id'] });
    for (const path of ['/', '/alpha', '/alpha/42']) expect((await get(path, html)).status, path).toBe(200);
    for (const path of ['/unknown', '/alpha/', '/alpha/42/more', '/Alpha']) {
      const response = await get(path, html);
      expect(response.status, path).toBe(404);
      expect(await response.text()).toContain('<div id="root"');
    }
  });

  it('is composed from a new deployment without a restart', async () => {
    await importMap();
    deploy('alpha', { 'alpha-bbbbbbbb.js': 'newer();' }, { '@mfe/alpha': 'alpha-bbbbbbbb.js' });
    expect((await importMap()).imports['@mfe/alpha']).toBe('/mfe/alpha/alpha-bbbbbbbb.js');
  });

  it.each([
    ['garbage', '{"name":'],
    ['the manifest of another one', '{"name":"shell"}'],
    ['an empty file', ''],
  ])('keeps the last valid manifest when the new one is %s, and warns once', async (_what, text) => {
    await importMap();
    writeFileSync(join(root, 'alpha', 'dist', 'manifest.json'), text);
    expect((await importMap()).imports['@mfe/alpha']).toBe('/mfe/alpha/alpha-aaaaaaaa.js');
    await importMap();
    expect(warnings).toEqual(['unusable manifest: the last good one stays']);
  });

  it('keeps the last valid manifest and its files when the build is deleted', async () => {
    await importMap();
    await get('/mfe/alpha/alpha-aaaaaaaa.js');
    rmSync(join(root, 'alpha', 'dist'), { recursive: true });
    expect((await importMap()).imports['@mfe/alpha']).toBe('/mfe/alpha/alpha-aaaaaaaa.js');
    expect(await (await get('/mfe/alpha/alpha-aaaaaaaa.js')).text()).toBe('alpha();');
  });

  it('leaves out a remote whose folder was deleted: it was withdrawn', async () => {
    await importMap();
    rmSync(join(root, 'alpha'), { recursive: true });
    expect(Object.keys((await importMap()).imports)).toEqual(['preact']);
  });

  it('leaves out a remote that never had a valid manifest', async () => {
    mkdirSync(join(root, 'beta', 'dist'), { recursive: true });
    writeFileSync(join(root, 'beta', 'dist', 'manifest.json'), 'garbage');
    expect(Object.keys((await importMap()).imports)).toEqual(['@mfe/alpha', 'preact']);
    expect(warnings).toEqual(['unusable manifest: the page has a placeholder instead']);
  });

  it('lets no remote replace a shared library', async () => {
    const files = { 'evil-aaaaaaaa.js': 'evil();' };
    deploy('evil', files, { '@mfe/evil': 'evil-aaaaaaaa.js', preact: 'evil-aaaaaaaa.js' });
    expect((await importMap()).imports['preact']).toBe('/mfe/shell/preact-aaaaaaaa.js');
    expect(warnings).toHaveLength(1);
  });

  it('warns once about an import that no manifest exposes', async () => {
    deploy(
      'alpha',
      { 'alpha-cccccccc.js': 'x' },
      { '@mfe/alpha': 'alpha-cccccccc.js' },
      {
        imports: ['preact', 'lodash'],
      },
    );
    await importMap();
    await importMap();
    expect(warnings).toEqual(['a micro-frontend imports a specifier that no manifest exposes']);
  });

  it('answers 503 with Retry-After when there never was a shell', async () => {
    rmSync(join(root, 'shell'), { recursive: true });
    const response = await get('/');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
  });
});

describe('a file of a micro-frontend', () => {
  const file = '/mfe/alpha/alpha-aaaaaaaa.js';

  it('is immutable with a hash in its name; the manifest is not', async () => {
    expect((await get(file)).headers.get('cache-control')).toContain('immutable');
    expect((await get(file)).headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect((await get('/mfe/alpha/manifest.json')).headers.get('cache-control')).toBe('no-cache');
  });

  it('is compressed as Accept-Encoding allows, with an ETag for each coding', async () => {
    const brotli = await get(file, { 'accept-encoding': 'gzip, deflate, br' });
    expect(brotli.headers.get('content-encoding')).toBe('br');
    expect(brotliDecompressSync(await brotli.arrayBuffer()).toString()).toBe('alpha();');
    const gzip = await get(file, { 'accept-encoding': 'gzip, br;q=0' });
    expect(gunzipSync(await gzip.arrayBuffer()).toString()).toBe('alpha();');
    const plain = await get(file);
    expect(plain.headers.get('content-encoding')).toBeNull();
    const tags = [brotli, gzip, plain].map(({ headers }) => headers.get('etag'));
    expect(new Set(tags).size).toBe(3);
  });

  it('is answered with 304 when If-None-Match has its ETag', async () => {
    const etag = (await get(file)).headers.get('etag') ?? '';
    expect((await get(file, { 'if-none-match': `"other", W/${etag}` })).status).toBe(304);
    expect((await get(file, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('has no body for HEAD, and refuses other methods', async () => {
    const head = await get(file, {}, 'HEAD');
    expect(head.headers.get('content-length')).toBe('8');
    expect(await head.text()).toBe('');
    expect((await get(file, {}, 'POST')).status).toBe(405);
  });

  it.each([
    '/mfe/alpha/../../secret.json',
    '/mfe/alpha/..%2f..%2fsecret.json',
    '/mfe/alpha/%2e%2e/secret.json',
    '/mfe/..%5csecret.json',
    '/mfe/alpha/sub/alpha-aaaaaaaa.js',
    '/mfe/alpha/.sources-hash',
    '/mfe/alpha/link.js',
    '/mfe/alpha/',
    '/mfe/unknown/x-aaaaaaaa.js',
  ])('is not found outside of a build: %s', async (path) => {
    writeFileSync(join(root, 'secret.json'), 'secret');
    writeFileSync(join(root, 'alpha', 'dist', '.sources-hash'), 'secret');
    symlinkSync(join(root, 'secret.json'), join(root, 'alpha', 'dist', 'link.js'));
    const response = await composition.handle(new Request(`http://edge.example${path}`));
    expect(response === undefined || response.status === 404).toBe(true);
    expect(await response?.text()).not.toBe('secret');
  });
});
