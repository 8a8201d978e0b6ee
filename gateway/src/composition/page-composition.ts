/**
 * Composition of the page from the manifests of its micro-frontends.
 *
 * - The shell brings the page: its entry script, its stylesheets and the shared libraries. Every other micro-frontend
 *   is a remote, which the shell loads when it is needed.
 * - The import map has one entry for each specifier that a manifest exposes. A remote exposes `@mfe/<name>` only, so
 *   no remote can replace a shared library (`manifest.ts` refuses it).
 * - `integrity` of the import map holds the hash of every script, so that a browser runs only files of a manifest.
 * - A manifest that is missing, half-written or invalid does not replace the last valid one (`manifest-store.ts`).
 */
import { SHELL, type Manifest } from './manifest.ts';

/** The composed page. The shell reads it as JSON from the page and from `/mfe/composition.json`. */
export interface PageComposition {
  /** Import map of the HTML standard. */
  readonly importMap: {
    /** URL of each module specifier. */
    readonly imports: Readonly<Record<string, string>>;
    /** Integrity metadata of each script URL. */
    readonly integrity: Readonly<Record<string, string>>;
  };
  /** Remotes by name. */
  readonly remotes: Readonly<Record<string, ComposedRemote>>;
}

/** A remote as the shell loads it. */
export interface ComposedRemote {
  readonly title: string;
  /** Module specifier to import. */
  readonly specifier: string;
  /** URL of the same module, for a retry after a new deployment: a page's import map cannot be changed. */
  readonly url: string;
  readonly css: readonly Stylesheet[];
}

/** Attributes of a stylesheet's `link` element. */
export interface Stylesheet {
  readonly url: string;
  readonly integrity: string;
}

export function composePage(manifests: readonly Manifest[]): PageComposition {
  const imports: Record<string, string> = {};
  const integrity: Record<string, string> = {};
  const remotes: Record<string, ComposedRemote> = {};
  for (const manifest of manifests) {
    for (const [specifier, file] of Object.entries(manifest.exposes)) {
      imports[specifier] = fileUrl(manifest, file);
    }
    for (const [file, hash] of Object.entries(manifest.integrity)) {
      if (file.endsWith('.js')) integrity[fileUrl(manifest, file)] = hash;
    }
    if (manifest.name !== SHELL) remotes[manifest.name] = composeRemote(manifest);
  }
  return { importMap: { imports, integrity }, remotes };
}

/** Lists the imports that the import map cannot resolve. A micro-frontend with one of them fails to load. */
export function unresolvedImports(manifests: readonly Manifest[]): { name: string; specifier: string }[] {
  const exposed = new Set(manifests.flatMap(({ exposes }) => Object.keys(exposes)));
  return manifests.flatMap(({ name, imports }) =>
    imports.filter((specifier) => !exposed.has(specifier)).map((specifier) => ({ name, specifier })),
  );
}

export function fileUrl(manifest: Manifest, file: string): string {
  return `/mfe/${manifest.name}/${file}`;
}

export function stylesheets(manifest: Manifest): Stylesheet[] {
  return manifest.css.map((file) => ({
    url: fileUrl(manifest, file),
    integrity: manifest.integrity[file] ?? '',
  }));
}

function composeRemote(manifest: Manifest): ComposedRemote {
  return {
    title: manifest.title,
    specifier: `@mfe/${manifest.name}`,
    url: fileUrl(manifest, manifest.entry),
    css: stylesheets(manifest),
  };
}
