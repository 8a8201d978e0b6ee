/** So many at a time for each key. Holds memory for keys that have some, and for no others. */
export class KeyedLimit {
  readonly max: number;
  readonly #counts = new Map<string, number>();

  constructor(max: number) {
    this.max = max;
  }

  /** Counts one more until the answer is called; undefined when the key has as many as it may. */
  take(key: string): (() => void) | undefined {
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.max) return undefined;
    this.#counts.set(key, count + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = this.#counts.get(key)! - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }

  count(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Keys that hold something. */
  get keys(): number {
    return this.#counts.size;
  }
}
