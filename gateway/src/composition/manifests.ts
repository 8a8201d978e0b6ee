import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@tidegate/runtime/telemetry';
import { microFrontendName, parseManifest, type Manifest } from './manifest.ts';

interface Known {
  /** Tells a changed file from the same one: time and size, or why there is none. */
  seen: string;
  /** The newest manifest that could be read; what came after it may be broken. */
  lastGood: Manifest | undefined;
}

/** The manifests as they lie in the folder now, each read again when it changes. */
export interface Manifests {
  current(): Promise<readonly Manifest[]>;
}

/**
 * A micro-frontend is deployed by replacing its files, and a deployment can go wrong at any point: a manifest that is
 * missing, half-written or foreign never replaces the last good one.
 */
export function createManifests(root: string, logger: Logger): Manifests {
  const known = new Map<string, Known>();

  const look = async (name: string): Promise<void> => {
    const path = join(root, name, 'dist', 'manifest.json');
    const entry = known.get(name) ?? { seen: '', lastGood: undefined };
    known.set(name, entry);
    const seen = await fingerprint(path);
    if (seen === entry.seen) return;
    entry.seen = seen;
    try {
      entry.lastGood = parseManifest(await readFile(path, 'utf8'), name);
      logger.info({ microFrontend: name, entry: entry.lastGood.entry }, 'micro-frontend composed');
    } catch (error) {
      const outcome = entry.lastGood ? 'the last good one stays' : 'the page has a placeholder instead';
      const reason = error instanceof Error ? error.message : String(error);
      logger.warn({ microFrontend: name, path, reason }, `unusable manifest: ${outcome}`);
    }
  };

  return {
    async current() {
      const names = new Set([...known.keys(), ...(await folders(root, logger))]);
      await Promise.all([...names].map(look));
      return [...known.values()].flatMap(({ lastGood }) => lastGood ?? []).toSorted(byName);
    },
  };
}

function byName(one: Manifest, other: Manifest): number {
  return one.name.localeCompare(other.name);
}

async function fingerprint(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}

/** Folders that could hold a micro-frontend: a build, or the workspace that one is made from. */
async function folders(root: string, logger: Logger): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isFile()).map(({ name }) => name);
    const plausible = names.filter((name) => microFrontendName.safeParse(name).success);
    const checked = await Promise.all(plausible.map((name) => hasPackage(join(root, name))));
    return plausible.filter((_, index) => checked[index]);
  } catch (error) {
    logger.warn({ root, err: error }, 'the folder of micro-frontends cannot be read');
    return [];
  }
}

async function hasPackage(folder: string): Promise<boolean> {
  const exists = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  return (await exists(join(folder, 'dist'))) || (await exists(join(folder, 'package.json')));
}
