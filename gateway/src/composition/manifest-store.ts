import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@tidegate/runtime/telemetry';
import { fingerprintOf } from './file-fingerprint.ts';
import { microFrontendName, parseManifest, type Manifest } from './manifest.ts';

interface StoredManifest {
  /** Fingerprint of the file that was read last; empty before the first read. */
  fingerprint: string;
  /** Newest valid manifest; undefined when there never was one. */
  lastValid: Manifest | undefined;
}

/**
 * Manifests of a folder of micro-frontends. A deployment replaces files and can fail at any point, so a manifest that
 * is missing, half-written or invalid never replaces the last valid one. To withdraw a micro-frontend, delete its folder.
 */
export class ManifestStore {
  readonly #root: string;
  readonly #logger: Logger;
  readonly #stored = new Map<string, StoredManifest>();

  constructor(root: string, logger: Logger) {
    this.#root = root;
    this.#logger = logger;
  }

  /** Returns the valid manifests by name. Reads files that have changed since the last call. */
  async current(): Promise<readonly Manifest[]> {
    const found = await this.#listFolders();
    if (found) await this.#forgetWithdrawn();
    const names = new Set([...this.#stored.keys(), ...(found ?? [])]);
    await Promise.all([...names].map((name) => this.#refresh(name)));
    return [...this.#stored.values()]
      .flatMap(({ lastValid }) => lastValid ?? [])
      .toSorted((one, other) => one.name.localeCompare(other.name));
  }

  /** A micro-frontend whose whole folder is gone was withdrawn; one without its `dist` is being deployed. */
  async #forgetWithdrawn(): Promise<void> {
    const names = [...this.#stored.keys()];
    const present = await Promise.all(names.map((name) => exists(join(this.#root, name))));
    for (const name of names.filter((_, index) => !present[index])) {
      this.#stored.delete(name);
      this.#logger.info({ microFrontend: name }, 'micro-frontend withdrawn');
    }
  }

  async #refresh(name: string): Promise<void> {
    const path = join(this.#root, name, 'dist', 'manifest.json');
    const stored = this.#stored.get(name) ?? { fingerprint: '', lastValid: undefined };
    this.#stored.set(name, stored);
    const fingerprint = (await fingerprintOf(path)) ?? 'missing';
    if (fingerprint === stored.fingerprint) return;
    stored.fingerprint = fingerprint;
    try {
      stored.lastValid = parseManifest(await readFile(path, 'utf8'), name);
      this.#logger.info({ microFrontend: name, entry: stored.lastValid.entry }, 'micro-frontend composed');
    } catch (error) {
      const outcome = stored.lastValid ? 'the last good one stays' : 'the page has a placeholder instead';
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.warn({ microFrontend: name, path, reason }, `unusable manifest: ${outcome}`);
    }
  }

  /** Lists the folders that hold a build, or the workspace that a build is made from; undefined when it cannot. */
  async #listFolders(): Promise<string[] | undefined> {
    try {
      const entries = await readdir(this.#root, { withFileTypes: true });
      const names = entries
        .filter((entry) => !entry.isFile())
        .map(({ name }) => name)
        .filter((name) => microFrontendName.safeParse(name).success);
      const accepted = await Promise.all(names.map((name) => isMicroFrontend(join(this.#root, name))));
      return names.filter((_, index) => accepted[index]);
    } catch (error) {
      this.#logger.warn({ root: this.#root, err: error }, 'the folder of micro-frontends cannot be read');
      return undefined;
    }
  }
}

async function isMicroFrontend(folder: string): Promise<boolean> {
  return (await exists(join(folder, 'dist'))) || (await exists(join(folder, 'package.json')));
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
