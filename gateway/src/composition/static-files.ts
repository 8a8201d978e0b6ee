import { join } from 'node:path';
import { encodeErrorBody, TidegateError } from '@tidegate/core';
import { FileCache, type CachedFile, type Encoding } from './file-cache.ts';
import { fileName, microFrontendName } from './manifest.ts';

const types: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  map: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webp: 'image/webp',
  woff2: 'font/woff2',
};
const packable = new Set(['js', 'css', 'json', 'map', 'svg']);
/** Names that Vite made from the content: `orders-Czm4Ce-B.js`. */
const HASHED = /-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/;

/** Serves `/mfe/<name>/<file>` from `<root>/<name>/dist/<file>`, nothing else. */
export function createStaticFiles(root: string, cacheBytes = 32 * 1024 * 1024) {
  const cache = new FileCache(cacheBytes);
  return {
    /** `path` is what follows `/mfe/`, still encoded: names that need encoding do not exist. */
    async serve(request: Request, path: string): Promise<Response> {
      const [name = '', file = '', ...more] = path.split('/');
      const type = types[file.slice(file.lastIndexOf('.') + 1)];
      const plain = microFrontendName.safeParse(name).success && fileName.safeParse(file).success;
      if (!plain || more.length > 0 || type === undefined) return notFound();
      const found = await cache.get(join(root, name, 'dist'), file);
      return found ? respond(request, found, file, type) : notFound();
    },
  };
}

async function respond(request: Request, found: CachedFile, file: string, type: string): Promise<Response> {
  const canPack = packable.has(file.slice(file.lastIndexOf('.') + 1));
  const encoding = canPack ? chooseEncoding(request.headers.get('accept-encoding') ?? '') : 'identity';
  // One tag per representation: a strong tag promises equal bytes.
  const etag = `"${found.etag}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  const headers = {
    etag,
    'cache-control': HASHED.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...(canPack && { vary: 'accept-encoding' }),
  };
  if (matches(request.headers.get('if-none-match'), etag))
    return new Response(null, { status: 304, headers });
  const body = await found.body(encoding);
  return new Response(request.method === 'HEAD' ? null : new Uint8Array(body), {
    headers: {
      ...headers,
      'content-type': type,
      'content-length': String(body.length),
      ...(encoding !== 'identity' && { 'content-encoding': encoding }),
    },
  });
}

function matches(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const tags = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}

/** Brotli before gzip; `;q=0` means never. */
function chooseEncoding(accepted: string): Encoding {
  const offered = new Map(
    accepted.split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
      return [name, !parameters.some((each) => /^q=0(\.0*)?$/.test(each))];
    }),
  );
  return (['br', 'gzip'] as const).find((encoding) => offered.get(encoding)) ?? 'identity';
}

function notFound(): Response {
  const error = new TidegateError('NOT_FOUND', 'There is no such file.');
  return Response.json(encodeErrorBody(error), { status: 404, headers: { 'cache-control': 'no-store' } });
}
