import type { Change } from './change.ts';

/** Estimated memory of a parsed change besides its value, in bytes. Measured on order documents. */
const OVERHEAD_BYTES = 1_000;
/** Memory of a parsed document as a multiple of its JSON's size. */
const PARSED_FACTOR = 3;
/** Minimum number of evicted slots before the array is compacted. */
const COMPACT_AFTER = 1_024;
/** Age marks over the maximum age. */
const MARKS = 10;

/** Changes of one partition, ascending by offset. */
interface PartitionHistory {
  changes: (Change | undefined)[];
  /** Index of the oldest held change; earlier slots are empty. */
  first: number;
  /** The history is complete from this offset on. */
  start: number;
}

export interface HistoryOptions {
  /** Memory budget for all partitions, in bytes. */
  readonly maxBytes: number;
  /** Time after which a change is evicted, in milliseconds; up to a tenth more, and more while no change follows. */
  readonly maxAgeMs: number;
  /** Monotonic clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** Changes up to `seq` were pushed before `atMs`. */
interface AgeMark {
  readonly seq: number;
  readonly atMs: number;
}

/**
 * The newest changes of one stream, bounded in bytes and age. Clients that reconnect within this history are served from
 * memory, without reading the log. Evicts the oldest changes when a bound is exceeded.
 */
export class History {
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  readonly #partitions = new Map<number, PartitionHistory>();
  /** Ascending; a few for the whole age, because a time for each change would cost memory. */
  readonly #marks: AgeMark[] = [];
  #bytes = 0;
  #size = 0;

  constructor({ maxBytes, maxAgeMs, now = () => performance.now() }: HistoryOptions) {
    this.#maxBytes = maxBytes;
    this.#maxAgeMs = maxAgeMs;
    this.#now = now;
  }

  /** Starts a partition's history at `offset`, discarding the changes held for it. */
  begin(partition: number, offset: number): void {
    this.#partitions.set(partition, { changes: [], first: 0, start: offset });
  }

  /** Appends a change; offsets must ascend within a partition. */
  push(change: Change): void {
    this.#of(change.partition).changes.push(change);
    this.#size += 1;
    this.#bytes += changeBytes(change);
    while (this.#bytes > this.#maxBytes && this.#size > 1) this.#evictFrom(this.#oldest());
    this.#evictAged(change.seq);
  }

  /** First offset of a partition that the history covers; older changes have to be read from the log. */
  start(partition: number): number {
    return this.#partitions.get(partition)?.start ?? 0;
  }

  /**
   * Returns the changes with this index term at or after the positions in `after`, up to and including `lastSeq`, in
   * the order of their dispatch. The cost grows with the changes missed, not with the changes held.
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

  #evictAged(seq: number): void {
    const nowMs = this.#now();
    const newest = this.#marks.at(-1);
    if (!newest || nowMs - newest.atMs >= this.#maxAgeMs / MARKS)
      this.#marks.push({ seq: seq - 1, atMs: nowMs });
    let agedSeq: number | undefined;
    while (this.#marks[0] && nowMs - this.#marks[0].atMs >= this.#maxAgeMs)
      agedSeq = this.#marks.shift()!.seq;
    if (agedSeq === undefined) return;
    for (let oldest = this.#oldest(); oldest; oldest = this.#oldest()) {
      if (oldest.changes[oldest.first]!.seq > agedSeq) return;
      this.#evictFrom(oldest);
    }
  }

  /** Returns the partition that holds the oldest change. */
  #oldest(): PartitionHistory | undefined {
    let oldest: PartitionHistory | undefined;
    for (const held of this.#partitions.values()) {
      const change = held.changes[held.first];
      if (change && (!oldest || change.seq < oldest.changes[oldest.first]!.seq)) oldest = held;
    }
    return oldest;
  }

  /** Evicts the oldest change of a partition. */
  #evictFrom(oldest: PartitionHistory | undefined): void {
    if (!oldest) return;
    const change = oldest.changes[oldest.first]!;
    oldest.changes[oldest.first] = undefined;
    oldest.first += 1;
    oldest.start = Math.max(oldest.start, change.offset + 1);
    this.#size -= 1;
    this.#bytes -= changeBytes(change);
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

/** Estimated memory of a parsed change, in bytes. */
export function changeBytes(change: Change): number {
  return OVERHEAD_BYTES + PARSED_FACTOR * change.valueBytes;
}
