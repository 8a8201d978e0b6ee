/** Promises of one condition, which all resolve together. */
export class Waiters {
  /** Undefined while nobody waits, as nearly always. */
  #resolves: (() => void)[] | undefined;

  /** Resolves at the next `resolveAll`. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.#resolves ??= []).push(resolve));
  }

  /** Resolves all promises that wait now. */
  resolveAll(): void {
    const resolves = this.#resolves;
    // The usual case, at every write.
    if (resolves === undefined) return;
    this.#resolves = undefined;
    for (const resolve of resolves) resolve();
  }
}
