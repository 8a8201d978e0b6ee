import type { Frame } from '../group/frame.ts';
import { batchOf, FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { Sink } from '../sink.ts';
import type { Memberships } from './memberships.ts';

export interface OutletOptions {
  readonly sink: Sink;
  readonly memberships: Pick<Memberships, 'bound'>;
  /** True for a field that says one thing and completes; `onSaid` is called then. */
  readonly once: boolean;
  readonly onSaid: () => void;
}

/** What one client has been sent, and with it what it still wants: every version of a key once and none left out. */
export class Outlet {
  readonly #options: OutletOptions;
  /** Changes of the key up to this version are contained in what the client has; 0 while that is not known. */
  floorVersion = 0;
  /** Whether it was sent a message, whose cursor says where it stands, since positions were told last. */
  spoken = false;
  /** Messages that were left out since the client was told last. */
  #dropped = 0;
  #isOver = false;

  constructor(options: OutletOptions) {
    this.#options = options;
  }

  /** Whether it has nothing to decide: every frame is sent as it is, for no version can be behind what was sent. */
  passesAll(from: Group): boolean {
    return !this.#isOver && !this.#options.once && !from.isOfOneKey && this.floorVersion === 0;
  }

  /** Sends up to the first frame before which one is missing; returns the rest. `from`: the group that made them. */
  sendToGap(batch: FrameBatch, from: Group): FrameBatch | undefined {
    const at = batch.isDense ? -1 : batch.frames.findIndex((frame) => this.#misses(frame));
    if (at < 0) {
      this.send(batch, from);
      return undefined;
    }
    const before = batchOf(batch.frames.slice(0, at));
    if (before) this.send(before, from);
    return batchOf(batch.frames.slice(at));
  }

  send(shared: FrameBatch, from: Group): void {
    if (this.#isOver) return;
    const floor = this.floorVersion;
    if (from.isOfOneKey) this.#passed(shared);
    let batch = shared.afterVersion(floor);
    if (batch && !batch.isDense) batch = batch.filter(({ hidden }) => !hidden);
    if (!batch) return;
    const { sink, memberships, once, onSaid } = this.#options;
    if (once) batch = new FrameBatch([batch.frames[0]]);
    this.spoken = true;
    sink.deliver(memberships.bound(batch, from));
    if (once) onSaid();
  }

  /** Sends a snapshot in place of all changes up to its version. */
  sendFresh(snapshot: FrameBatch): void {
    if (this.#isOver) return;
    this.floorVersion = snapshot.frames[0].version;
    this.spoken = true;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#options.sink.deliver(snapshot, ...(dropped > 0 ? [dropped] : []));
  }

  /** These will not be sent: a fresh snapshot will contain them. */
  forget(batch: FrameBatch): void {
    const wanted = batch.frames.filter(({ version, hidden }) => version > this.floorVersion && !hidden);
    this.#dropped += wanted.length;
    this.#passed(batch);
  }

  /** So many of those that were sent have been dropped on the way. */
  lost(count: number): void {
    this.#dropped += count;
  }

  /** Nothing is sent any more. */
  end(): void {
    this.#isOver = true;
  }

  #passed({ frames }: FrameBatch): void {
    this.floorVersion = Math.max(this.floorVersion, frames.at(-1)!.version);
  }

  /** Whether the client has not seen the version before this one. */
  #misses({ version, continuity }: Frame): boolean {
    if (continuity === 'next' || version <= this.floorVersion + 1) return false;
    return continuity === 'gap' || this.floorVersion > 0;
  }
}
