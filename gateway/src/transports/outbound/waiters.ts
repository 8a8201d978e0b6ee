/** Those who wait for a connection to take more. */
export class Waiters {
  #resolves: (() => void)[] = [];

  /** Resolves when they are told next. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#resolves.push(resolve));
  }

  /** Tells all; nobody waits any more. */
  tell(): void {
    // Nearly always: it is asked at every write.
    if (this.#resolves.length === 0) return;
    for (const resolve of this.#resolves.splice(0)) resolve();
  }
}
