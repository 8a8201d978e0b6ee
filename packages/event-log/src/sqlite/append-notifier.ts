import { closeSync, openSync, watch, writeSync, type FSWatcher } from 'node:fs';

/**
 * Notifies the processes that share a log of each other's appends: by a file beside the log that every append writes to
 * and every process watches. Where the file system reports nothing, or the folder is read-only, nobody is notified and
 * no call fails: readers then rely on polling.
 */
export class AppendNotifier {
  readonly #path: string;
  #file: number | undefined;
  #watcher: FSWatcher | undefined;

  /** @param path Path of the file; created readable by its owner only. */
  constructor(path: string) {
    this.#path = path;
    this.#file = attempt(() => openSync(path, 'w', 0o600));
  }

  /** True while the operating system reports the writes of other processes. */
  get isWatching(): boolean {
    return this.#watcher !== undefined;
  }

  /** Calls back after an append of any process, this one included; once for several in quick succession. */
  watch(onAppend: () => void): void {
    this.#watcher = attempt(() =>
      watch(this.#path, { persistent: false }, onAppend).on('error', () => this.#unwatch()),
    );
  }

  /** Notifies all processes. Call it after the commit. */
  notify(): void {
    const file = this.#file;
    if (file !== undefined) attempt(() => writeSync(file, '1', 0));
  }

  close(): void {
    this.#unwatch();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #unwatch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
