/**
 * Compares the dropped messages that a client of several keys was told of with the messages that are missing. Each
 * message counts the messages dropped of all keys since the previous one. The count for a key may therefore come before
 * its next message reveals the gap, but never after it.
 */
export class MissingCount {
  #told = 0;
  #least = 0;
  #most = 0;

  told(dropped: number): void {
    this.#told += dropped;
  }

  missed(count: number): void {
    this.missedBetween(count, count);
  }

  /** For the first message of a key: the start of its changes is known only as a range. */
  missedBetween(least: number, most: number): void {
    this.#least += least;
    this.#most += Math.max(least, most);
  }

  /** True when more messages are missing than the client was told of. */
  get isTooLow(): boolean {
    return this.#told < this.#least;
  }

  /** Describes a difference; undefined when there is none. Valid once every key's newest message has come. */
  wrong(): string | undefined {
    if (this.#told >= this.#least && this.#told <= this.#most) return undefined;
    const missing = this.#least === this.#most ? `${this.#least}` : `${this.#least} to ${this.#most}`;
    return `told of ${this.#told} messages that were dropped, and ${missing} are missing`;
  }
}
