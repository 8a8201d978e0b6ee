import type { Lock } from '../database.ts';

/** Named locks, each an empty file beside the database. */
export class FileLocks {
  readonly #path: string | undefined;
  readonly #open: (lockPath: string) => (() => void) | undefined;
  /** Release functions of the locks that this database holds, by name. */
  readonly #held = new Map<string, () => void>();

  /**
   * `path` is the database's file; without it (in memory) the locks hold within this database only. `open` locks a file
   * and returns its release function, or undefined when another process holds the lock.
   */
  constructor(path: string | undefined, open: (lockPath: string) => (() => void) | undefined) {
    this.#path = path;
    this.#open = open;
  }

  tryLock(name: string): Lock | undefined {
    if (this.#held.has(name)) return undefined;
    const unlock = this.#path === undefined ? () => {} : this.#open(lockPath(this.#path, name));
    if (!unlock) return undefined;
    this.#held.set(name, unlock);
    return {
      // The kernel releases the file with the process and not earlier, so the lock is never lost.
      lost: new AbortController().signal,
      release: async () => this.#release(name, unlock),
    };
  }

  releaseAll(): void {
    for (const [name, unlock] of this.#held) this.#release(name, unlock);
  }

  #release(name: string, unlock: () => void): void {
    if (this.#held.get(name) !== unlock) return;
    this.#held.delete(name);
    unlock();
  }
}

function lockPath(path: string, name: string): string {
  return `${path}-${name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}.lock`;
}
