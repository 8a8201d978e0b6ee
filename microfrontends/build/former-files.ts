import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from './manifest.ts';

/** Pages that were loaded before a deployment may need its former files for this long. */
const KEEP_MS = 7 * 24 * 60 * 60 * 1_000;

/**
 * Copies the files of the former build into the new one, unless they were superseded more than seven days ago. The
 * modification time of a file that no manifest names is the time at which it was superseded.
 */
export function keepFormerFiles(former: string, next: string, nowMs: number = Date.now()): void {
  if (!existsSync(former)) return;
  const named = namedFiles(former);
  for (const file of readdirSync(former)) {
    const [from, to] = [join(former, file), join(next, file)];
    // Only names with a hash: the others belong to one build.
    if (!/-[A-Za-z0-9_-]{8}\.[a-z0-9]+$/.test(file) || existsSync(to)) continue;
    const supersededMs = named.has(file) ? nowMs : statSync(from).mtimeMs;
    if (nowMs - supersededMs > KEEP_MS) continue;
    copyFileSync(from, to);
    utimesSync(to, new Date(supersededMs), new Date(supersededMs));
  }
}

function namedFiles(folder: string): ReadonlySet<string> {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    return new Set(Object.keys(manifest.integrity));
  } catch {
    return new Set();
  }
}
