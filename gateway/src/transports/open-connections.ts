/** A connection that can ask its client to come back. */
export interface LeavingConnection {
  /** Leaves after this delay, in place of the delay set before: see `leave` of the connections. */
  leaveAfter(delayMs: number): void;
}

/** All open connections of one transport and BFF in this process. */
export class OpenConnections<Connection extends LeavingConnection> {
  readonly #connections = new Set<Connection>();
  #empty: PromiseWithResolvers<void> | undefined;

  get size(): number {
    return this.#connections.size;
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  delete(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#empty?.resolve();
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#connections.values();
  }

  /**
   * Makes every connection leave at its own random moment of the window, so that clients do not reconnect all at
   * once. Resolves when none is left.
   */
  async leaveAll(windowMs: number): Promise<void> {
    if (this.#connections.size === 0) return;
    this.#empty ??= Promise.withResolvers<void>();
    for (const connection of [...this.#connections]) connection.leaveAfter(Math.random() * windowMs);
    await this.#empty.promise;
  }
}
