import type { MicroFrontend } from '@tidegate/live-client/micro-frontend';
import { freshComposition, initialComposition, type Composition, type Remote } from './composition.ts';

/**
 * Loads a remote's module and styles. The first attempt uses the bare specifier of the page's import map. A retry uses
 * the URL that the server names now, because a specifier that was resolved once cannot be mapped again.
 *
 * @throws Error when the remote is not part of the page, cannot be loaded, or exports no `mount`.
 */
export async function loadRemote(name: string, attempt: number, signal: AbortSignal): Promise<MicroFrontend> {
  const isRetry = attempt > 1;
  const composition = isRetry ? await freshComposition(signal) : initialComposition();
  const remote = composition.remotes[name];
  if (!remote) throw new Error(`There is no micro-frontend “${name}” on the server.`);
  if (isRetry) addHashes(composition, remote);
  const [module] = await Promise.all([
    import(/* @vite-ignore */ isRetry ? remote.url : remote.specifier) as Promise<Partial<MicroFrontend>>,
    ...remote.css.map(loadStylesheet),
  ]);
  const { mount } = module;
  if (typeof mount !== 'function') throw new Error(`“${name}” exports no mount function.`);
  return { mount };
}

/** `Integrity-Policy` blocks modules without a hash. A further import map adds the hashes of the new deployment. */
function addHashes({ importMap }: Composition, { url }: Remote): void {
  const folder = url.slice(0, url.lastIndexOf('/') + 1);
  const integrity = Object.entries(importMap.integrity).filter(([file]) => file.startsWith(folder));
  const script = document.createElement('script');
  script.type = 'importmap';
  script.nonce = document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce ?? '';
  script.textContent = JSON.stringify({ integrity: Object.fromEntries(integrity) });
  document.head.append(script);
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
