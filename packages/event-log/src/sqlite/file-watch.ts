import { watch, type FSWatcher } from 'node:fs';

export interface FileWatch {
  /** False when the system does not tell of writes, or has ceased to. */
  readonly works: boolean;
  close(): void;
}

/**
 * Calls back after writes to the file at `path`, this process's own included. The system may tell of several at once,
 * and tells of a write before SQLite has made a commit of it.
 */
export function watchFile(path: string, onWrite: () => void): FileWatch {
  let watcher: FSWatcher | undefined;
  const close = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  try {
    watcher = watch(path, { persistent: false }, onWrite).on('error', close);
  } catch {
    // Too many watches, or a file system that has none: whoever asked goes on looking by itself.
  }
  return {
    get works() {
      return watcher !== undefined;
    },
    close,
  };
}
