import type { Change } from './change.ts';

/** What a parsed change costs beside its value: the objects around it. An estimate, measured on order documents. */
const OVERHEAD_BYTES = 1_000;
/** A parsed document takes about this many times its JSON's bytes. */
const PARSED_FACTOR = 3;

/**
 * The newest changes of one stream, bounded in bytes: what a client that was away for a moment is served from,
 * without a read of the log. The oldest go first when the budget is used up.
 */
export class History {
  readonly #maxBytes: number;
  #changes: Change[] = [];
  #first = 0;
  #bytes = 0;
  /** For each partition the first offset that is still here completely. */
  readonly #starts = new Map<number, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Declares from which offset on this history is complete for a partition. */
  begin(partition: number, offset: number): void {
    this.#starts.set(partition, offset);
  }

  push(change: Change): void {
    this.#changes.push(change);
    this.#bytes += cost(change);
    while (this.#bytes > this.#maxBytes && this.#first < this.#changes.length - 1) this.#evict();
    if (this.#first > 1_024 && this.#first * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#first);
      this.#first = 0;
    }
  }

  /** The first offset of a partition that is here; what is older has to be read from the log. */
  start(partition: number): number {
    return this.#starts.get(partition) ?? 0;
  }

  /** The changes a term finds, ascending, that `after` has not seen, up to and including `lastSeq`. */
  *matching(term: string, after: ReadonlyMap<number, number>, lastSeq: number): Generator<Change> {
    for (let index = this.#first; index < this.#changes.length; index++) {
      const change = this.#changes[index]!;
      if (change.seq > lastSeq) return;
      const position = after.get(change.partition);
      if (position === undefined || change.offset < position) continue;
      if (change.terms.includes(term)) yield change;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#changes.length - this.#first;
  }

  #evict(): void {
    const change = this.#changes[this.#first]!;
    (this.#changes as (Change | undefined)[])[this.#first] = undefined;
    this.#first += 1;
    this.#bytes -= cost(change);
    this.#starts.set(change.partition, change.offset + 1);
  }
}

function cost(change: Change): number {
  return OVERHEAD_BYTES + PARSED_FACTOR * change.valueBytes;
}
