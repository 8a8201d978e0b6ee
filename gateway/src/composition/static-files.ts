import { join } from 'node:path';
import { encodeErrorBody, TidegateError } from '@tidegate/core';
import { FileCache, type CachedFile, type ContentCoding } from './file-cache.ts';
import { fileName, microFrontendName } from './manifest.ts';

const contentTypes: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  map: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webp: 'image/webp',
  woff2: 'font/woff2',
};
/** Extensions of text. The other types are compressed already. */
const compressible = new Set(['js', 'css', 'json', 'map', 'svg']);
/** Matches names in which Vite put a hash of the content: `alpha-Czm4Ce-B.js`. */
const HASHED = /-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;
const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;

/** Serves `<root>/<name>/dist/<file>` as `/mfe/<name>/<file>`, and no other file. */
export class StaticFiles {
  readonly #root: string;
  readonly #cache: FileCache;

  /** @param cacheBytes memory limit of cached files. Default 32 MiB. */
  constructor(root: string, cacheBytes = DEFAULT_CACHE_BYTES) {
    this.#root = root;
    this.#cache = new FileCache(cacheBytes);
  }

  /**
   * Answers a GET or HEAD.
   *
   * @param path part of the URL after `/mfe/`, percent-encoded: no valid name needs encoding.
   */
  async serve(request: Request, path: string): Promise<Response> {
    const [name = '', file = '', ...more] = path.split('/');
    const contentType = contentTypes[extensionOf(file)];
    const isPlain = microFrontendName.safeParse(name).success && fileName.safeParse(file).success;
    if (!isPlain || more.length > 0 || contentType === undefined) return notFound();
    const found = await this.#cache.get(join(this.#root, name, 'dist'), file);
    return found ? respond(request, found, file, contentType) : notFound();
  }
}

async function respond(
  request: Request,
  found: CachedFile,
  file: string,
  contentType: string,
): Promise<Response> {
  const isCompressible = compressible.has(extensionOf(file));
  const coding = isCompressible ? negotiateCoding(request.headers.get('accept-encoding') ?? '') : 'identity';
  // A strong entity tag promises equal bytes, so each coding has its own.
  const etag = `"${found.etag}${coding === 'identity' ? '' : `-${coding}`}"`;
  const headers = {
    etag,
    'cache-control': HASHED.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...(isCompressible && { vary: 'accept-encoding' }),
  };
  if (matchesEtag(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers });
  const body = await found.body(coding);
  return new Response(request.method === 'HEAD' ? null : new Uint8Array(body), {
    headers: {
      ...headers,
      'content-type': contentType,
      'content-length': String(body.length),
      ...(coding !== 'identity' && { 'content-encoding': coding }),
    },
  });
}

function extensionOf(file: string): string {
  return file.slice(file.lastIndexOf('.') + 1);
}

/** Evaluates `If-None-Match` by weak comparison (RFC 9110, 13.1.2). */
function matchesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** Chooses a coding from `Accept-Encoding` (RFC 9110, 12.5.3): brotli before gzip, none with `q=0`. */
function negotiateCoding(acceptEncoding: string): ContentCoding {
  const accepted = new Map(
    acceptEncoding.split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
      return [name, !parameters.some((each) => /^q=0(\.0*)?$/.test(each))];
    }),
  );
  return (['br', 'gzip'] as const).find((coding) => accepted.get(coding)) ?? 'identity';
}

function notFound(): Response {
  const error = new TidegateError('NOT_FOUND', 'There is no such file.');
  return Response.json(encodeErrorBody(error), { status: 404, headers: { 'cache-control': 'no-store' } });
}
