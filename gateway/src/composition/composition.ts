import { encodeErrorBody, TidegateError } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import { SHELL, type Manifest } from './manifest.ts';
import { ManifestStore } from './manifest-store.ts';
import { composePage, unresolvedImports, type PageComposition } from './page-composition.ts';
import { isPage } from './page-paths.ts';
import { renderPage, renderUnavailable } from './page.ts';
import { StaticFiles } from './static-files.ts';

export interface CompositionOptions {
  /** Folder of the micro-frontends: `<root>/<name>/dist/manifest.json` and the files that the manifest names. */
  readonly root: string;
  readonly logger: Logger;
}

/** Serves the page that is composed from micro-frontends, and their files. */
export interface Composition {
  /**
   * Answers `/mfe/…`, and `/` and every client route when a browser navigates to it, with 404 when the shell does not
   * list the route. Undefined for any other request, so call it after all other handlers. Never rejects because of a broken deployment.
   */
  handle(request: Request): Promise<Response | undefined>;
}

/**
 * Creates the composition of a folder of micro-frontends. Each of them may be deployed while it runs: every page is
 * composed from the manifests of that moment, by the rules in `page-composition.ts`.
 *
 * @example
 * const composition = createComposition({ root: '/srv/microfrontends', logger });
 * const page = await composition.handle(new Request('https://edge.example/'));
 */
export function createComposition(options: CompositionOptions): Composition {
  return new FolderComposition(options);
}

const FILES_PATH = '/mfe/';
const COMPOSITION_PATH = '/mfe/composition.json';
/** First path segments that are never a client route, even when a browser navigates to them. */
const RESERVED_SEGMENTS = new Set([
  'api',
  'dev',
  'graphql',
  'healthz',
  'metrics',
  'mfe',
  'readyz',
  'webhooks',
]);

class FolderComposition implements Composition {
  readonly #logger: Logger;
  readonly #manifests: ManifestStore;
  readonly #files: StaticFiles;
  /** Unresolved imports that were logged last, as JSON. */
  #loggedImports = '[]';

  constructor({ root, logger }: CompositionOptions) {
    this.#logger = logger;
    this.#manifests = new ManifestStore(root, logger);
    this.#files = new StaticFiles(root);
  }

  async handle(request: Request): Promise<Response | undefined> {
    const url = new URL(request.url);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (url.pathname.startsWith(FILES_PATH)) {
      if (!isRead) return methodNotAllowed();
      if (url.pathname === COMPOSITION_PATH) return this.#serveComposition();
      return this.#files.serve(request, url.pathname.slice(FILES_PATH.length));
    }
    if (!isRead || !isClientRoute(url, request.headers.get('accept'))) return undefined;
    const { shell, page } = await this.#compose();
    if (!shell) return renderUnavailable();
    return renderPage(shell, page, url, isPage(shell.pages, url.pathname) ? 200 : 404);
  }

  async #serveComposition(): Promise<Response> {
    const { page } = await this.#compose();
    return Response.json(page, { headers: { 'cache-control': 'no-store' } });
  }

  async #compose(): Promise<{ shell: Manifest | undefined; page: PageComposition }> {
    const manifests = await this.#manifests.current();
    this.#logUnresolvedImports(manifests);
    return { shell: manifests.find(({ name }) => name === SHELL), page: composePage(manifests) };
  }

  /** Logs unresolved imports once, and again when they change. */
  #logUnresolvedImports(manifests: readonly Manifest[]): void {
    const unresolved = unresolvedImports(manifests);
    const text = JSON.stringify(unresolved);
    if (text === this.#loggedImports) return;
    this.#loggedImports = text;
    for (const each of unresolved) {
      this.#logger.warn(each, 'a micro-frontend imports a specifier that no manifest exposes');
    }
  }
}

/** True for `/` and for paths that a browser navigates to and that do not name a file. */
function isClientRoute({ pathname }: URL, accept: string | null): boolean {
  const segments = pathname.split('/').slice(1);
  if (RESERVED_SEGMENTS.has(segments[0] ?? '') || segments.at(-1)?.includes('.')) return false;
  return pathname === '/' || (accept ?? '').toLowerCase().includes('text/html');
}

function methodNotAllowed(): Response {
  const error = new TidegateError('METHOD_NOT_ALLOWED', 'Files are read with GET or HEAD.');
  return Response.json(encodeErrorBody(error), { status: 405, headers: { allow: 'GET, HEAD' } });
}
