import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a build depends on: files and folders, absolute. */
export type Sources = readonly string[];

/** Contents, not times: a checkout sets those as it likes. */
export function hashSources(sources: Sources): string {
  const hash = createHash('sha256');
  for (const source of sources) addTo(hash, source);
  return hash.digest('hex');
}

/** Whether `dist` was completed from exactly these sources. */
export function isFresh(dist: string, sourcesHash: string): boolean {
  try {
    return (
      readFileSync(stampFile(dist), 'utf8') === sourcesHash && statSync(join(dist, 'manifest.json')).size > 0
    );
  } catch {
    return false;
  }
}

/** Written when a build is complete: one that was interrupted is not fresh. */
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
  // Sorted: file systems list in orders of their own. Tests are no sources.
  for (const name of readdirSync(path).toSorted()) {
    if (!/\.(test|fixture)\.tsx?$/.test(name)) addTo(hash, join(path, name));
  }
}
