/** What all replays that a hub keeps for others may take together, in bytes. */
export class ReplayBudget {
  readonly #maxBytes: number;
  readonly #onUse: (bytes: number) => void;
  #bytes = 0;

  constructor(maxBytes: number, onUse: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onUse = onUse;
  }

  /** True when there is room for so much more, which is then taken: to be given back. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#use(this.#bytes + bytes);
    return true;
  }

  giveBack(bytes: number): void {
    this.#use(this.#bytes - bytes);
  }

  #use(bytes: number): void {
    this.#bytes = bytes;
    this.#onUse(bytes);
  }
}
