/**
 * What a client of several keys was told it was not sent, against what it was not sent. A message says what was left
 * out of all keys since the one before it, so a key's part may be told before its next message shows it; never after.
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

  /** Of a key whose first message this is: where its changes began is known only so far. */
  missedBetween(least: number, most: number): void {
    this.#least += least;
    this.#most += Math.max(least, most);
  }

  /** True when more is missing than was told so far. */
  get isTooLow(): boolean {
    return this.#told < this.#least;
  }

  /** Undefined when what was told is what is missing. To be asked when every key's newest message has come. */
  wrong(): string | undefined {
    if (this.#told >= this.#least && this.#told <= this.#most) return undefined;
    const missing = this.#least === this.#most ? `${this.#least}` : `${this.#least} to ${this.#most}`;
    return `told of ${this.#told} messages that were dropped, and ${missing} are missing`;
  }
}
