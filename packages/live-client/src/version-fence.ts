/**
 * Deduplicates versions: lets each version of a key pass once, and no older one after it. Remembers the `maxKeys` keys
 * (default 10,000) that changed last. Repeats arrive right after a reconnect, close to the cursor, so keys that changed
 * earlier need no memory.
 */
export class VersionFence {
  readonly #highest = new Map<string, number>();
  readonly #maxKeys: number;

  constructor(maxKeys = 10_000) {
    this.#maxKeys = maxKeys;
  }

  /** Returns false for a version that is not newer than the last one that passed. */
  passes(key: string, version: number): boolean {
    const highest = this.#highest.get(key);
    if (highest !== undefined && version <= highest) return false;
    // Deleting first moves the key to the end: the map's first key is the least recently changed one.
    this.#highest.delete(key);
    this.#highest.set(key, version);
    if (this.#highest.size > this.#maxKeys) this.#evictOldest();
    return true;
  }

  clear(): void {
    this.#highest.clear();
  }

  #evictOldest(): void {
    const oldest = this.#highest.keys().next();
    if (!oldest.done) this.#highest.delete(oldest.value);
  }
}
