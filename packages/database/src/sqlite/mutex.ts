/** A mutual exclusion lock with one holder at a time, granted in the order of `acquire` calls. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /** Resolves with the function that releases the lock. */
  async acquire(): Promise<() => void> {
    const previous = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await previous;
    return resolve;
  }
}
