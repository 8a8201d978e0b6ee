import type { FrameBatch } from './frame-batch.ts';
import type { Sink } from '../sink.ts';
import type { Membership } from '../subscription/membership.ts';

/** Where the batches of a group go while every member takes each as it comes: `sinks[i]` is of `memberships[i]`. */
interface DirectWay {
  readonly memberships: readonly Membership[];
  readonly sinks: readonly Sink[];
  /** For changes after this one. */
  readonly from: number;
}

/**
 * Who is in a group. A change for 10,000 of them waits for little but memory, so while all take every batch as it
 * comes, which is so nearly always, it goes to a list of their sinks and touches nothing else of them.
 */
export class Members {
  readonly #all = new Set<Membership>();
  /** Undefined when it is to be found out anew, 'none' while some member has to be asked. */
  #way: DirectWay | 'none' | undefined;
  #deliveries = 0;

  get size(): number {
    return this.#all.size;
  }

  /** How many batches went to all members directly. */
  get deliveries(): number {
    return this.#deliveries;
  }

  add(membership: Membership): void {
    this.#all.add(membership);
    this.changed();
  }

  delete(membership: Membership): void {
    this.#all.delete(membership);
    this.changed();
  }

  /** To be called when a membership begins or ceases to take every batch as it comes. */
  changed(): void {
    this.#way = undefined;
  }

  [Symbol.iterator](): SetIterator<Membership> {
    return this.#all.values();
  }

  deliver(batch: FrameBatch): void {
    const way = (this.#way ??= this.#findWay());
    if (way !== 'none' && batch.isDense && batch.isAfter(way.from)) this.#deliverBy(way, batch);
    else for (const membership of this.#all) membership.deliver(batch);
  }

  #deliverBy(way: DirectWay, batch: FrameBatch): void {
    const { sinks, memberships } = way;
    this.#deliveries += 1;
    for (let at = 0; at < sinks.length; at++) {
      sinks[at]!.deliver(batch);
      if (this.#way === way) continue;
      // What it did has changed somebody else: those who are still here and have not had it are asked one by one.
      for (const rest of memberships.slice(at + 1)) if (this.#all.has(rest)) rest.deliver(batch);
      return;
    }
  }

  #findWay(): DirectWay | 'none' {
    const memberships = [...this.#all];
    const sinks: Sink[] = [];
    let from = 0;
    for (const { direct, from: begin } of memberships) {
      if (!direct) return 'none';
      sinks.push(direct);
      from = Math.max(from, begin);
    }
    return { memberships, sinks, from };
  }
}
