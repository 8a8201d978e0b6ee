import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { keepFormerFiles } from './build/former-files.ts';
import { hashSources, isFresh, markFresh } from './build/freshness.ts';

export interface BuildOptions {
  /** Builds fresh micro-frontends as well. Default false. */
  readonly force?: boolean;
  readonly log?: (line: string) => void;
  /** Folder of the micro-frontends: its subfolders with a `vite.config.ts`. Default: the folder of this file. */
  readonly root?: string;
}

const here = dirname(fileURLToPath(import.meta.url));
const repository = dirname(here);
/** Two processes may build the same micro-frontend at once; each moves a complete build into place. */
const MAX_REPLACEMENTS = 10;

/**
 * Builds each micro-frontend without a fresh `dist` and resolves with their names. `dist` is fresh when it was built from
 * the current sources. Loads Vite only for a build: when everything is fresh, a start costs a few milliseconds.
 *
 * @throws the error of Vite. A micro-frontend that failed keeps its former `dist` and is built again by the next call.
 */
export async function buildMicrofrontends(options: BuildOptions = {}): Promise<string[]> {
  const { force = false, log = () => {}, root = here } = options;
  const stale = findStale(root, force);
  if (stale.length === 0) return [];
  const startedMs = performance.now();
  const { build } = await import('vite');
  await Promise.all(
    stale.map(async ({ name, folder, hash }) => {
      const outDir = join(repository, 'node_modules', '.tidegate-build', `${name}-${process.pid}`);
      // `native`: Node runs the configuration as it is; bundling it would take longer than the build.
      const configFile = join(folder, 'vite.config.ts');
      await build({ root: folder, configFile, configLoader: 'native', build: { outDir, emptyOutDir: true } });
      keepFormerFiles(join(folder, 'dist'), outDir);
      markFresh(outDir, hash);
      replaceFolder(outDir, join(folder, 'dist'));
    }),
  );
  const names = stale.map(({ name }) => name);
  log(`Built micro-frontends: ${names.join(', ')} in ${Math.round(performance.now() - startedMs)} ms`);
  return names;
}

/**
 * Builds like `buildMicrofrontends`, in a process of its own: a server that builds at its first start does not keep Vite
 * in its memory. The lines of the build are printed. Without a stale micro-frontend no process is started.
 *
 * @throws Error when the build fails; its output is on stderr.
 */
export async function buildInChild(): Promise<void> {
  if (findStale(here, false).length === 0) return;
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], { stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error('the micro-frontends could not be built; the reason is printed above');
}

function findStale(root: string, force: boolean) {
  return findMicrofrontends(root)
    .map((name) => ({ name, folder: join(root, name), hash: hashSources(sourcesOf(root, name)) }))
    .filter(({ folder, hash }) => force || !isFresh(join(folder, 'dist'), hash));
}

/** A server that reads the folder meanwhile sees the old build, no build, or the new build, never a partial one. */
function replaceFolder(from: string, to: string): void {
  for (let attempt = 1; ; attempt++) {
    rmSync(to, { recursive: true, force: true });
    try {
      return renameSync(from, to);
    } catch (error) {
      if (attempt === MAX_REPLACEMENTS) throw error;
    }
  }
}

function findMicrofrontends(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'vite.config.ts')))
    .map(({ name }) => name)
    .toSorted();
}

function sourcesOf(root: string, name: string): string[] {
  const folder = join(root, name);
  const own = ['src', 'package.json', 'vite.config.ts'].map((path) => join(folder, path));
  const shared = ['package-lock.json', 'packages/live-client/src'].map((path) => join(repository, path));
  return [...own, join(here, 'build'), ...shared];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const built = await buildMicrofrontends({ force: process.argv.includes('--force'), log: console.log });
  if (built.length === 0) console.log('Every micro-frontend is fresh.');
}
