import { SHELL, type Manifest } from './manifest.ts';

/** A remote as the shell needs to know it. */
export interface ComposedRemote {
  readonly title: string;
  /** The bare specifier to import. */
  readonly specifier: string;
  /** The same as an address, for another try after a new deployment: an import map cannot be changed. */
  readonly url: string;
  readonly css: readonly { readonly url: string; readonly integrity: string }[];
}

/** One page out of all manifests: a native import map and the list of remotes. */
export interface PageComposition {
  readonly importMap: {
    readonly imports: Readonly<Record<string, string>>;
    readonly integrity: Readonly<Record<string, string>>;
  };
  readonly remotes: Readonly<Record<string, ComposedRemote>>;
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

/** The specifiers that nobody provides: whoever needs them will fail to load. */
export function missingImports(manifests: readonly Manifest[]): { name: string; specifier: string }[] {
  const provided = new Set(manifests.flatMap(({ exposes }) => Object.keys(exposes)));
  return manifests.flatMap(({ name, imports }) =>
    imports.filter((specifier) => !provided.has(specifier)).map((specifier) => ({ name, specifier })),
  );
}

export function fileUrl(manifest: Manifest, file: string): string {
  return `/mfe/${manifest.name}/${file}`;
}

/** A stylesheet's address and hash, as a `link` element needs them. */
export function stylesheets(manifest: Manifest): { url: string; integrity: string }[] {
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
