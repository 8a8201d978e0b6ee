/** The page's import map and remotes, as the gateway composed them (`/mfe/composition.json`). */
export interface Composition {
  readonly importMap: { readonly integrity: Readonly<Record<string, string>> };
  readonly remotes: Readonly<Record<string, Remote>>;
}

export interface Remote {
  readonly title: string;
  readonly specifier: string;
  readonly url: string;
  readonly css: readonly { readonly url: string; readonly integrity: string }[];
}

/** Returns the composition that the page was loaded with. */
export function initialComposition(): Composition {
  return JSON.parse(document.querySelector('#composition')?.textContent ?? '') as Composition;
}

/** Fetches the current composition: a broken remote may have been deployed again. */
export async function freshComposition(signal: AbortSignal): Promise<Composition> {
  const response = await fetch('/mfe/composition.json', { signal });
  if (!response.ok) throw new Error(`The page's composition could not be read (${response.status}).`);
  return (await response.json()) as Composition;
}
