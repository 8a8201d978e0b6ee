import type { Change } from './change.ts';

/** What a parsed change costs beside its value: the objects around it. An estimate, measured on order documents. */
const OVERHEAD_BYTES = 1_000;
/** A parsed document takes about this many times its JSON's bytes. */
const PARSED_FACTOR = 3;
/** Slots of evicted changes that are given back together. */
const COMPACT_AFTER = 1_024;

/** One partition's changes, ascending by offset. */
interface PartitionHistory {
  changes: Change[];
  /** Where they begin; what is before has been evicted. */
  first: number;
  /** The first offset from which on everything is here. */
  start: number;
}

/**
 * The newest changes of one stream, bounded in bytes: what a client that was away for a moment is served from,
 * without a read of the log. The oldest go first when the budget is used up.
 */
export class History {
  readonly #maxBytes: number;
  readonly #partitions = new Map<number, PartitionHistory>();
  #bytes = 0;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Declares from which offset on this history is complete for a partition. Forgets what it had of it. */
  begin(partition: number, offset: number): void {
    this.#partitions.set(partition, { changes: [], first: 0, start: offset });
  }

  push(change: Change): void {
    this.#of(change.partition).changes.push(change);
    this.#size += 1;
    this.#bytes += cost(change);
    while (this.#bytes > this.#maxBytes && this.#size > 1) this.#evictOldest();
  }

  /** The first offset of a partition that is here; what is older has to be read from the log. */
  start(partition: number): number {
    return this.#partitions.get(partition)?.start ?? 0;
  }

  /**
   * The changes a term finds that `after` has not seen, up to and including `lastSeq`, in the order they were seen.
   * Costs what was missed in these partitions, not what is held.
   */
  matching(term: string, after: ReadonlyMap<number, number>, lastSeq: number): Change[] {
    const found: Change[] = [];
    for (const [partition, position] of after) {
      const held = this.#partitions.get(partition);
      if (!held) continue;
      for (let index = firstAtOrAfter(held, position); index < held.changes.length; index++) {
        const change = held.changes[index]!;
        if (change.seq > lastSeq) break;
        if (change.terms.includes(term)) found.push(change);
      }
    }
    return after.size > 1 ? found.sort((a, b) => a.seq - b.seq) : found;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#size;
  }

  #of(partition: number): PartitionHistory {
    const known = this.#partitions.get(partition);
    if (known) return known;
    this.begin(partition, 0);
    return this.#partitions.get(partition)!;
  }

  #evictOldest(): void {
    let oldest: PartitionHistory | undefined;
    for (const held of this.#partitions.values()) {
      const change = held.changes[held.first];
      if (change && (!oldest || change.seq < oldest.changes[oldest.first]!.seq)) oldest = held;
    }
    if (!oldest) return;
    const change = oldest.changes[oldest.first]!;
    oldest.first += 1;
    oldest.start = Math.max(oldest.start, change.offset + 1);
    this.#size -= 1;
    this.#bytes -= cost(change);
    if (oldest.first < COMPACT_AFTER || oldest.first * 2 < oldest.changes.length) return;
    oldest.changes = oldest.changes.slice(oldest.first);
    oldest.first = 0;
  }
}

function firstAtOrAfter({ changes, first }: PartitionHistory, offset: number): number {
  let [low, high] = [first, changes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (changes[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function cost(change: Change): number {
  return OVERHEAD_BYTES + PARSED_FACTOR * change.valueBytes;
}
