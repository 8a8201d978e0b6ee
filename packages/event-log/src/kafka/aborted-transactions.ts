/** Where a producer's aborted transaction begins, as a broker tells with each fetch. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/** The facts of a batch that decide whether its transaction was aborted. */
export interface ProducedBatch {
  readonly producerId: bigint;
  readonly lastOffset: bigint;
  readonly isTransactional: boolean;
  /** Key of the control record, for the batch of a marker; undefined for a batch of data. */
  readonly controlKey: Buffer | undefined;
}

/** Type in the key of a control record: version, then type, 16 bits each. */
const ABORT = 0;

/**
 * Recognises the batches of aborted transactions in the answer to one fetch, in the order of their offsets. A broker
 * sends the data of aborted transactions too, with the list of those that the answer touches; a consumer has to leave
 * them out (Kafka's `read_committed`).
 */
export class AbortedTransactions {
  readonly #waiting: AbortedTransaction[];
  /** Producers whose transaction at this place was aborted. */
  readonly #producers = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  }

  /** True when the batch belongs to an aborted transaction. Call it once for each batch, in their order. */
  includes({ producerId, lastOffset, isTransactional, controlKey }: ProducedBatch): boolean {
    while (this.#waiting[0] && this.#waiting[0].firstOffset <= lastOffset) {
      this.#producers.add(this.#waiting.shift()!.producerId);
    }
    if (controlKey) {
      // The producer's next transaction has a fate of its own.
      if (controlKey.length >= 4 && controlKey.readInt16BE(2) === ABORT) this.#producers.delete(producerId);
      return false;
    }
    return isTransactional && this.#producers.has(producerId);
  }
}
