import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin, Rolldown } from 'vite';
import type { Manifest } from './manifest.ts';

export interface ManifestOptions {
  readonly name: string;
  readonly title: string;
  /** Name of the entry in the build's input. */
  readonly entry: string;
  /** Name of the entry for each bare specifier. */
  readonly exposes: Readonly<Record<string, string>>;
  /** Paths that the shell draws. Default: not listed, and every path is a page. */
  readonly pages?: readonly string[];
}

/**
 * Writes the manifest in `writeBundle`, with the hashes of the files on disk: Vite rewrites CSS after `generateBundle`,
 * and the browser blocks a file with another hash.
 */
export function manifestPlugin(options: ManifestOptions): Plugin {
  return {
    name: 'tidegate-manifest',
    async writeBundle({ dir }, bundle) {
      if (dir === undefined) throw new Error('a micro-frontend is written to a folder');
      const manifest = await createManifest(options, dir, Object.values(bundle));
      await writeFile(join(dir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    },
  };
}

type Output = Rolldown.OutputChunk | Rolldown.OutputAsset;

async function createManifest(
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
    ...(options.pages && { pages: options.pages }),
  };
}

async function sha384(path: string): Promise<string> {
  return `sha384-${createHash('sha384')
    .update(await readFile(path))
    .digest('base64')}`;
}
