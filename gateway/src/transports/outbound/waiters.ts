/** Promises of one condition, which all resolve together. */
export class Waiters {
  #resolves: (() => void)[] = [];

  /** Resolves at the next `resolveAll`. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#resolves.push(resolve));
  }

  /** Resolves all promises that wait now. */
  resolveAll(): void {
    // The usual case, at every write.
    if (this.#resolves.length === 0) return;
    for (const resolve of this.#resolves.splice(0)) resolve();
  }
}
