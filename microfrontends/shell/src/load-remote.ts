import type { MicroFrontend } from '@tidegate/live-client/micro-frontend';
import { freshComposition, initialComposition, type Composition, type Remote } from './composition.ts';

/**
 * Loads a remote's module and styles. The first attempt uses the bare specifier of the page's import map. A retry uses
 * the URL that the server names now, because a specifier that was resolved once cannot be mapped again, with a number:
 * a browser may keep the failure of a module, and keeps one that hangs.
 *
 * @throws Error when the remote is not part of the page, cannot be loaded, or exports no `mount`.
 */
export async function loadRemote(name: string, attempt: number, signal: AbortSignal): Promise<MicroFrontend> {
  const isRetry = attempt > 1;
  const composition = isRetry ? await freshComposition(signal) : initialComposition();
  const remote = composition.remotes[name];
  if (!remote) throw new Error(`There is no micro-frontend “${name}” on the server.`);
  const [module] = await Promise.all([
    isRetry ? retryModule(composition, remote, attempt) : importModule(remote.specifier),
    ...remote.css.map(loadStylesheet),
  ]);
  const { mount } = module;
  if (typeof mount !== 'function') throw new Error(`“${name}” exports no mount function.`);
  return { mount };
}

function importModule(specifier: string): Promise<Partial<MicroFrontend>> {
  return import(/* @vite-ignore */ specifier) as Promise<Partial<MicroFrontend>>;
}

/**
 * `Integrity-Policy` blocks modules without a hash. Not every browser takes a second import map, so a script element
 * with the hash loads the module, and preloads with theirs its further files; the import then finds them loaded.
 */
async function retryModule(
  { importMap: { integrity } }: Composition,
  { url }: Remote,
  attempt: number,
): Promise<Partial<MicroFrontend>> {
  const folder = url.slice(0, url.lastIndexOf('/') + 1);
  const known = initialComposition().importMap.integrity;
  for (const [file, hash] of Object.entries(integrity)) {
    if (file.startsWith(folder) && file !== url && known[file] === undefined) preloadModule(file, hash);
  }
  const numbered = `${url}?attempt=${attempt}`;
  await loadScript(numbered, integrity[url] ?? '');
  return importModule(numbered);
}

function preloadModule(href: string, integrity: string): void {
  const link = document.createElement('link');
  Object.assign(link, { rel: 'modulepreload', href, integrity });
  document.head.append(link);
}

function loadScript(src: string, integrity: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    Object.assign(script, { type: 'module', src, integrity });
    script.addEventListener('load', () => resolve());
    script.addEventListener('error', () => reject(new Error(`${src} cannot be loaded.`)));
    document.head.append(script);
  });
}

function loadStylesheet({ url, integrity }: { url: string; integrity: string }): Promise<void> {
  if (document.querySelector(`link[href="${CSS.escape(url)}"][data-loaded]`)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.integrity = integrity;
    link.href = url;
    link.addEventListener('load', () => {
      link.dataset['loaded'] = '';
      resolve();
    });
    link.addEventListener('error', () => {
      link.remove();
      reject(new Error(`${url} cannot be loaded.`));
    });
    document.head.append(link);
  });
}
