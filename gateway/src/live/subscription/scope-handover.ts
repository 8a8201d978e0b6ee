import type { StreamFeed } from '../feed/stream-feed.ts';
import { batchOf, type FrameBatch } from '../group/frame-batch.ts';
import { withCursor } from '../group/frame.ts';
import type { Group } from '../group/group.ts';
import type { StreamGroups } from '../group/stream-groups.ts';
import type { LiveRequest } from '../live-request.ts';
import { GroupSubscription, type GroupSubscriber } from './group-subscription.ts';

export interface ScopeHandoverOptions {
  readonly subscriber: GroupSubscriber;
  readonly feed: Pick<StreamFeed, 'seq'>;
  readonly groups: Pick<StreamGroups, 'groupOf' | 'leave'>;
}

/**
 * Change of rights while a subscription runs: the subscriber joins the group of its new scope before it leaves the group
 * of the old one. Holds its places in groups, oldest first: one normally, several during the change. Each place takes
 * over at the change where the one before it ends. The rule for clients is `LiveSubscription.renew`.
 */
export class ScopeHandover {
  readonly #options: ScopeHandoverOptions;
  #places: [GroupSubscription, ...GroupSubscription[]];

  /** Joins the group of `request` at the present end of the feed. */
  constructor(options: ScopeHandoverOptions, request: LiveRequest) {
    this.#options = options;
    this.#places = [this.#join(request)];
  }

  /** The place whose frames are delivered next. */
  get current(): GroupSubscription {
    return this.#places[0];
  }

  /** The place under the present scope. */
  get newest(): GroupSubscription {
    return this.#places.at(-1)!;
  }

  get size(): number {
    return this.#places.length;
  }

  get bufferedFrames(): number {
    return this.#places.reduce((sum, { bufferedFrames }) => sum + bufferedFrames, 0);
  }

  /** Joins the group of another scope for all later changes. Calls back when the previous place is complete. */
  renew(request: LiveRequest, onPreviousComplete: () => void): void {
    const previous = this.newest;
    this.#places.push(this.#join(request));
    // Frames that the previous group still renders come first, so that changes of a key keep their order.
    previous.endAfter(this.#options.feed.seq, onPreviousComplete);
  }

  /** Removes and returns the next buffered batch. Leaves places that are complete and empty. */
  take(): FrameBatch | undefined {
    for (;;) {
      const batch = this.current.take();
      if (batch || this.size === 1 || !this.current.isComplete) return batch;
      this.#leave(this.current);
      this.#places = this.#places.slice(1) as [GroupSubscription, ...GroupSubscription[]];
    }
  }

  /** Leaves all places but the newest and clears all buffers. Returns the buffered batches. */
  keepNewest(): FrameBatch[] {
    const cleared = this.#places.flatMap((place) => place.clear());
    for (const place of this.#places.slice(0, -1)) this.#leave(place);
    this.#places = [this.newest];
    return cleared;
  }

  /** Re-encodes the cursors of a previous group's frames for the present scope: the client resumes under that one. */
  rebind(batch: FrameBatch, from: Group): FrameBatch {
    const to = this.newest.group;
    if (from === to) return batch;
    const frames = batch.frames.map((frame) => {
      const { positions, floorVersion } = from.cursors.decode(frame.cursor);
      return withCursor(frame, to.cursors.encode(positions, floorVersion));
    });
    return batchOf(frames)!;
  }

  leave(): void {
    for (const place of this.#places) this.#leave(place);
  }

  #join(request: LiveRequest): GroupSubscription {
    const { groups, subscriber, feed } = this.#options;
    const group = groups.groupOf(request);
    const place = new GroupSubscription({ group, request, subscriber, from: feed.seq });
    group.fanOut.add(place);
    return place;
  }

  #leave(place: GroupSubscription): void {
    this.#options.groups.leave(place.group, place);
  }
}
