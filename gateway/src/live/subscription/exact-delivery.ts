import { batchOf, FrameBatch } from '../group/frame-batch.ts';
import type { Frame } from '../group/frame.ts';
import type { Group } from '../group/group.ts';
import type { Sink } from '../sink.ts';
import type { ScopeHandover } from './scope-handover.ts';

export interface ExactDeliveryOptions {
  readonly sink: Sink;
  readonly handover: Pick<ScopeHandover, 'rebind'>;
  /** True for a field that delivers one message and completes. */
  readonly once: boolean;
  /** Called after the one message of a `once` field. */
  readonly onComplete: () => void;
}

/** Last step before the sink: delivers each version of a key once and stops before a version that is missing. */
export class ExactDelivery {
  readonly #options: ExactDeliveryOptions;
  #floorVersion = 0;
  #newestSeq = 0;
  /** Messages dropped since the client was last told of any. */
  #dropped = 0;
  #hasEnded = false;

  constructor(options: ExactDeliveryOptions) {
    this.#options = options;
  }

  /** The client has all changes of the field's key up to this version; 0 when unknown or the field has no key. */
  get floorVersion(): number {
    return this.#floorVersion;
  }

  /** Sequence number of the newest change delivered here. Does not include frames that bypassed the subscriber. */
  get newestSeq(): number {
    return this.#newestSeq;
  }

  /** True when every dense batch of the group is delivered unchanged, so that frames may bypass the subscriber. */
  deliversAll(from: Group): boolean {
    return !this.#hasEnded && !this.#options.once && !from.rendering.isOfOneKey && this.#floorVersion === 0;
  }

  /** Starts from the version in a cursor. */
  resumeFrom(floorVersion: number): void {
    this.#floorVersion = floorVersion;
  }

  /**
   * Delivers frames up to the first one with a version missing before it.
   *
   * @param from group that rendered the frames.
   * @returns the frames from the gap on; undefined without a gap.
   */
  deliver(batch: FrameBatch, from: Group): FrameBatch | undefined {
    const at = batch.isDense ? -1 : batch.frames.findIndex((frame) => this.#isAfterGap(frame));
    if (at < 0) {
      this.#deliverUnseen(batch, from);
      return undefined;
    }
    const before = batchOf(batch.frames.slice(0, at));
    if (before) this.#deliverUnseen(before, from);
    return batchOf(batch.frames.slice(at));
  }

  /** Delivers a snapshot in place of all changes up to its version, with the number of messages dropped. */
  deliverSnapshot(snapshot: FrameBatch): void {
    if (this.#hasEnded) return;
    const dropped = this.#dropped;
    this.#floorVersion = snapshot.frames[0].version;
    this.#dropped = 0;
    if (dropped > 0) this.#options.sink.deliver(snapshot, dropped);
    else this.#options.sink.deliver(snapshot);
    if (this.#options.once) this.#options.onComplete();
  }

  /** Drops frames that the next fresh snapshot will contain. */
  drop(batch: FrameBatch): void {
    const unseen = batch.frames.filter(({ version, hidden }) => version > this.#floorVersion && !hidden);
    this.#dropped += unseen.length;
    this.#raiseFloor(batch);
  }

  /** Counts delivered messages that the outbound queue has dropped. */
  countDropped(count: number): void {
    this.#dropped += count;
  }

  /** Delivers nothing from here on. */
  end(): void {
    this.#hasEnded = true;
  }

  #deliverUnseen(shared: FrameBatch, from: Group): void {
    if (this.#hasEnded) return;
    const floor = this.#floorVersion;
    if (from.rendering.isOfOneKey) this.#raiseFloor(shared);
    let batch = shared.afterVersion(floor);
    if (batch && !batch.isDense) batch = batch.filter(({ hidden }) => !hidden);
    if (!batch) return;
    const { sink, handover, once, onComplete } = this.#options;
    if (once) batch = new FrameBatch([batch.frames[0]]);
    this.#newestSeq = Math.max(this.#newestSeq, batch.newestSeq);
    sink.deliver(handover.rebind(batch, from));
    if (once) onComplete();
  }

  #raiseFloor({ frames }: FrameBatch): void {
    this.#floorVersion = Math.max(this.#floorVersion, frames.at(-1)!.version);
  }

  /**
   * True when the client has not received the version before this one. A change that the feed saw right after its
   * predecessor is never after a gap. Without a floor the client's version is unknown, and only the feed's gap counts.
   */
  #isAfterGap({ version, continuity }: Frame): boolean {
    if (continuity === 'next' || version <= this.#floorVersion + 1) return false;
    return continuity === 'gap' || this.#floorVersion > 0;
  }
}
