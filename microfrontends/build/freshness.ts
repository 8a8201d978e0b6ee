import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Absolute paths of the files and folders that a build depends on. */
export type Sources = readonly string[];

/** Hashes paths and contents. Modification times do not count: a checkout changes them. */
export function hashSources(sources: Sources): string {
  const hash = createHash('sha256');
  for (const source of sources) addTo(hash, source);
  return hash.digest('hex');
}

/** Returns true when `dist` was completely built from these sources. */
export function isFresh(dist: string, sourcesHash: string): boolean {
  try {
    return (
      readFileSync(stampFile(dist), 'utf8') === sourcesHash && statSync(join(dist, 'manifest.json')).size > 0
    );
  } catch {
    return false;
  }
}

/** Marks a complete build; an interrupted build stays unmarked. */
export function markFresh(dist: string, sourcesHash: string): void {
  writeFileSync(stampFile(dist), sourcesHash);
}

function stampFile(dist: string): string {
  return join(dist, '.sources-hash');
}

function addTo(hash: ReturnType<typeof createHash>, path: string): void {
  const entry = statSync(path, { throwIfNoEntry: false });
  if (!entry) return;
  hash.update(`${path}\0`);
  if (!entry.isDirectory()) return void hash.update(readFileSync(path));
  // Sorted, because the order of a listing depends on the file system. Tests are not sources.
  for (const name of readdirSync(path).toSorted()) {
    if (!/\.(test|fixture)\.tsx?$/.test(name)) addTo(hash, join(path, name));
  }
}
