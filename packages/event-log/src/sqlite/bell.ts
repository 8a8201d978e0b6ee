import { closeSync, openSync, watch, writeSync, type FSWatcher } from 'node:fs';

/** A file beside the log that is written to after each append, so that the system tells all processes of it. */
export interface Bell {
  /** Calls back after somebody, this process included, has rung: once for several who rang close together. */
  listen(onRing: () => void): void;
  /** False when the system does not tell of writes, or has ceased to: whoever waits has to look. */
  readonly isHeard: boolean;
  /** Never throws: who was to hear it looks by himself, after a while. */
  ring(): void;
  close(): void;
}

export function hangBell(path: string): Bell {
  let file = quietly(() => openSync(path, 'w'));
  let watcher: FSWatcher | undefined;
  const unwatch = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  return {
    listen(onRing) {
      watcher = quietly(() => watch(path, { persistent: false }, onRing).on('error', unwatch));
    },
    get isHeard() {
      return watcher !== undefined;
    },
    ring() {
      const rope = file;
      if (rope !== undefined) quietly(() => writeSync(rope, '1', 0));
    },
    close() {
      unwatch();
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** Undefined when the folder may not be written to, there are too many watches, a file system tells nothing. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
