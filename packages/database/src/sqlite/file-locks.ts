import type { Lock } from '../database.ts';

export interface FileLocks {
  tryLock(name: string): Lock | undefined;
  releaseAll(): void;
}

/**
 * Named locks, each a small file beside the database that stays empty. `open` takes the file's lock and returns what
 * frees it, or undefined when another holds it. Without a path (a database in memory) they hold within this database.
 */
export function createFileLocks(
  path: string | undefined,
  open: (lockPath: string) => (() => void) | undefined,
): FileLocks {
  const held = new Map<string, () => void>();

  function tryLock(name: string): Lock | undefined {
    if (held.has(name)) return undefined;
    const free =
      path === undefined ? () => {} : open(`${path}-${name.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}.lock`);
    if (!free) return undefined;
    held.set(name, free);
    return {
      // The kernel frees it with the process and not earlier: it is never lost.
      lost: new AbortController().signal,
      release: async () => release(name, free),
    };
  }

  function release(name: string, free: () => void): void {
    if (held.get(name) !== free) return;
    held.delete(name);
    free();
  }

  return {
    tryLock,
    releaseAll() {
      for (const [name, free] of held) release(name, free);
    },
  };
}
