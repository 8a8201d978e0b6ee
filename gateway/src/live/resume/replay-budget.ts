/** Memory limit for all cached replays of a hub. */
export class ReplayBudget {
  readonly #maxBytes: number;
  readonly #onUse: (bytes: number) => void;
  #bytes = 0;

  /**
   * @param maxBytes limit in bytes.
   * @param onUse called with the bytes in use after each change.
   */
  constructor(maxBytes: number, onUse: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onUse = onUse;
  }

  /** Reserves memory until it is released. Returns false, reserving nothing, when the limit would be exceeded. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#setBytes(this.#bytes + bytes);
    return true;
  }

  release(bytes: number): void {
    this.#setBytes(this.#bytes - bytes);
  }

  #setBytes(bytes: number): void {
    this.#bytes = bytes;
    this.#onUse(bytes);
  }
}
