/** Relation of a change to the previous change of the same key. */
export type Continuity =
  /** No earlier version of the key is known. A subscription compares it with the version its client has. */
  | 'first'
  /** The next version. */
  | 'next'
  /** One or more versions are missing before it. */
  | 'gap';

/**
 * Deduplicates changes by version: the relay publishes a record twice when it dies after publishing a
 * record and before deleting its row.
 * Tracks the most recently changed keys only. That suffices because a repeat follows its original within the time of
 * a relay restart.
 */
export class VersionFilter {
  readonly #maxKeys: number;
  readonly #versions = new Map<string, number>();

  /** @param maxKeys maximum number of tracked keys; the least recently changed key is evicted. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** Records a version. Returns 'repeat' for a duplicate, which must not be delivered, else its continuity. */
  admit(key: string, version: number): Continuity | 'repeat' {
    const known = this.#versions.get(key);
    if (known !== undefined && version <= known) return 'repeat';
    this.#versions.delete(key);
    this.#versions.set(key, version);
    if (this.#versions.size > this.#maxKeys) this.#versions.delete(this.#versions.keys().next().value!);
    if (known === undefined) return 'first';
    return version > known + 1 ? 'gap' : 'next';
  }

  /** Newest version of a key; undefined when the key is not tracked. */
  newest(key: string): number | undefined {
    return this.#versions.get(key);
  }
}
