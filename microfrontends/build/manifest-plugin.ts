import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';
import type { Manifest } from './manifest.ts';

export interface ManifestOptions {
  readonly name: string;
  readonly title: string;
  /** The name of the entry, as in the build's input. */
  readonly entry: string;
  /** Bare specifier to name of entry. */
  readonly exposes: Readonly<Record<string, string>>;
}

/**
 * Writes the manifest. In `writeBundle`, from the files as they lie there: Vite still rewrites CSS after
 * `generateBundle`, and a hash of what is not served would keep the browser from loading it.
 */
export function manifestPlugin(options: ManifestOptions): Plugin {
  return {
    name: 'tidegate-manifest',
    async writeBundle({ dir }, bundle) {
      if (dir === undefined) throw new Error('a micro-frontend is written to a folder');
      const manifest = await describe(options, dir, Object.values(bundle));
      await writeFile(join(dir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    },
  };
}

type Output = Rolldown.OutputChunk | Rolldown.OutputAsset;

async function describe(
  options: ManifestOptions,
  dir: string,
  outputs: readonly Output[],
): Promise<Manifest> {
  const chunks = outputs.filter((output) => output.type === 'chunk');
  const fileOf = (entry: string): string => {
    const chunk = chunks.find(({ isEntry, name }) => isEntry && name === entry);
    if (!chunk) throw new Error(`the build of ${options.name} has no entry ${entry}`);
    return chunk.fileName;
  };
  const own = new Set(chunks.map(({ fileName }) => fileName));
  const imported = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]);
  return {
    name: options.name,
    title: options.title,
    entry: fileOf(options.entry),
    css: outputs.map(({ fileName }) => fileName).filter((fileName) => fileName.endsWith('.css')),
    integrity: Object.fromEntries(
      await Promise.all(outputs.map(async ({ fileName }) => [fileName, await sha384(join(dir, fileName))])),
    ),
    imports: [...new Set(imported)].filter((specifier) => !own.has(specifier)).toSorted(),
    exposes: Object.fromEntries(
      Object.entries(options.exposes).map(([specifier, entry]) => [specifier, fileOf(entry)]),
    ),
  };
}

async function sha384(path: string): Promise<string> {
  return `sha384-${createHash('sha384')
    .update(await readFile(path))
    .digest('base64')}`;
}
