import { encodeErrorBody, TidegateError } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import { SHELL, type Manifest } from './manifest.ts';
import { createManifests } from './manifests.ts';
import { composePage, missingImports } from './page-composition.ts';
import { renderPage, renderUnavailable } from './page.ts';
import { createStaticFiles } from './static-files.ts';

export interface CompositionOptions {
  /** The folder of micro-frontends: `<root>/<name>/dist/manifest.json` and the files it names. */
  readonly root: string;
  readonly logger: Logger;
}

/** Puts the page together from micro-frontends that are built and shipped one by one. */
export interface Composition {
  /**
   * Answers `/mfe/…` and, for a browser that asks for a page, `/` and every path of the client's own routes.
   * Undefined for what is somebody else's: ask it last. Never rejects for a broken deployment.
   */
  handle(request: Request): Promise<Response | undefined>;
}

/** First segments that are never a page, even when a browser's address bar asks for them. */
const reserved = new Set(['graphql', 'webhooks', 'dev', 'healthz', 'readyz', 'metrics']);

export function createComposition({ root, logger }: CompositionOptions): Composition {
  const manifests = createManifests(root, logger);
  const files = createStaticFiles(root);
  let warnedOf = '';

  /** Says once, and again when it changes, what no import map can resolve. */
  const warnOfMissing = (all: readonly Manifest[]): void => {
    const missing = missingImports(all);
    const text = JSON.stringify(missing);
    if (text === warnedOf) return;
    warnedOf = text;
    for (const each of missing) {
      logger.warn(each, 'a micro-frontend imports what nobody on the page provides');
    }
  };

  const compose = async () => {
    const all = await manifests.current();
    warnOfMissing(all);
    return { shell: all.find(({ name }) => name === SHELL), composition: composePage(all) };
  };

  return {
    async handle(request) {
      const url = new URL(request.url);
      const reads = request.method === 'GET' || request.method === 'HEAD';
      if (url.pathname.startsWith('/mfe/')) {
        if (!reads) return methodNotAllowed();
        if (url.pathname !== '/mfe/composition.json') return files.serve(request, url.pathname.slice(5));
        const { composition } = await compose();
        return Response.json(composition, { headers: { 'cache-control': 'no-store' } });
      }
      if (!reads || !isPage(url, request.headers.get('accept'))) return undefined;
      const { shell, composition } = await compose();
      return shell ? renderPage(shell, composition, url) : renderUnavailable();
    },
  };
}

/** A path of the client's router: asked for as a page, not as a file. */
function isPage({ pathname }: URL, accept: string | null): boolean {
  const segments = pathname.split('/').slice(1);
  if (reserved.has(segments[0] ?? '') || segments.at(-1)?.includes('.')) return false;
  return pathname === '/' || (accept ?? '').includes('text/html');
}

function methodNotAllowed(): Response {
  const error = new TidegateError('METHOD_NOT_ALLOWED', 'Files are read with GET or HEAD.');
  return Response.json(encodeErrorBody(error), { status: 405, headers: { allow: 'GET, HEAD' } });
}
