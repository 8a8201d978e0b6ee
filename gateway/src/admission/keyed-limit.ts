/** Returns the counted place. Idempotent. */
export type Release = () => void;

/** Maximum number of places that each key may hold at a time. Uses memory only for keys that hold some. */
export class KeyedLimit {
  readonly max: number;
  readonly #counts = new Map<string, number>();

  /** @param max maximum places of one key. */
  constructor(max: number) {
    this.max = max;
  }

  /** Takes a place until the returned function is called; undefined when the key already holds its maximum. */
  take(key: string): Release | undefined {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.max) return undefined;
    this.#counts.set(key, count + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const remaining = this.#counts.get(key)! - 1;
      if (remaining > 0) this.#counts.set(key, remaining);
      else this.#counts.delete(key);
    };
  }

  /** Number of keys that hold places. */
  get keys(): number {
    return this.#counts.size;
  }
}
