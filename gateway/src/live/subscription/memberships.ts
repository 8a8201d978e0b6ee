import { withCursor } from '../group/frame.ts';
import { batchOf, type FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { LiveRequest } from '../live-request.ts';
import { Membership, type Member } from './membership.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

export interface MembershipsOptions {
  readonly member: Member;
  readonly feed: Pick<StreamFeed, 'seq'>;
  /** The group of all subscriptions that are equal to this one. */
  readonly groupOf: (request: LiveRequest) => Group;
  /** Takes the membership out of its group, which ends with its last one. */
  readonly leave: (membership: Membership) => void;
}

/**
 * The groups that one subscription is in: one, but while its rights change; then each takes over where the one
 * before it ends.
 */
export class Memberships {
  readonly #options: MembershipsOptions;
  #all: [Membership, ...Membership[]];

  constructor(options: MembershipsOptions, request: LiveRequest) {
    this.#options = options;
    this.#all = [this.#join(request)];
  }

  /** Whose frames come next. */
  get current(): Membership {
    return this.#all[0];
  }

  /** Of the rights of now. */
  get newest(): Membership {
    return this.#all.at(-1)!;
  }

  get size(): number {
    return this.#all.length;
  }

  get pendingFrames(): number {
    return this.#all.reduce((sum, { pendingFrames }) => sum + pendingFrames, 0);
  }

  /** Joins another group for all that follows this point of the stream; `done` is called when the one before is over. */
  goOn(request: LiveRequest, done: () => void): void {
    const before = this.newest;
    before.endWith(this.#options.feed.seq);
    this.#all.push(this.#join(request));
    // What the old group still renders comes first, so that no key's changes overtake each other.
    before.group.settled(() => {
      before.isOver = true;
      done();
    });
  }

  /** The next frames that wait, across memberships that are over. */
  next(): FrameBatch | undefined {
    for (;;) {
      const batch = this.current.next();
      if (batch || this.size === 1 || !this.current.isOver) return batch;
      this.#options.leave(this.current);
      this.#all = this.#all.slice(1) as [Membership, ...Membership[]];
    }
  }

  /** Forgets all but the newest, and what waits. Returns what waited. */
  keepNewest(): FrameBatch[] {
    const forgotten = this.#all.flatMap((each) => each.forget());
    for (const each of this.#all.slice(0, -1)) this.#options.leave(each);
    this.#all = [this.newest];
    return forgotten;
  }

  /** A group's frames with cursors of the rights of now: under the old ones the client could not come back. */
  bound(batch: FrameBatch, from: Group): FrameBatch {
    const to = this.newest.group;
    if (from === to) return batch;
    const frames = batch.frames.map((frame) => {
      const { positions, floorVersion } = from.decode(frame.cursor);
      return withCursor(frame, to.cursor(positions, floorVersion));
    });
    return batchOf(frames)!;
  }

  leave(): void {
    for (const each of this.#all) this.#options.leave(each);
  }

  #join(request: LiveRequest): Membership {
    const { groupOf, member, feed } = this.#options;
    const group = groupOf(request);
    const membership = new Membership({ group, request, member, from: feed.seq });
    group.members.add(membership);
    return membership;
  }
}
