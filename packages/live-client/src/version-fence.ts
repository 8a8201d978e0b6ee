/**
 * Lets each version of a key pass once and never lets a key go back. Remembers the keys that changed last, at most
 * `maxKeys`: repeats come right after a reconnect, close to the cursor, so older keys need no memory.
 */
export class VersionFence {
  readonly #highest = new Map<string, number>();
  readonly #maxKeys: number;

  constructor(maxKeys = 10_000) {
    this.#maxKeys = maxKeys;
  }

  /** False for a version that is not newer than what has passed. */
  passes(key: string, version: number): boolean {
    const highest = this.#highest.get(key);
    if (highest !== undefined && version <= highest) return false;
    // Deleting first moves the key to the end: the first key of the map is the one that rested longest.
    this.#highest.delete(key);
    this.#highest.set(key, version);
    if (this.#highest.size > this.#maxKeys) this.#forgetOldest();
    return true;
  }

  clear(): void {
    this.#highest.clear();
  }

  #forgetOldest(): void {
    const oldest = this.#highest.keys().next();
    if (!oldest.done) this.#highest.delete(oldest.value);
  }
}
