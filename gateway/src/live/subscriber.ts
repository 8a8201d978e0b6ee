import { TidegateError, toTidegateError } from '@tidegate/errors';
import type { EventLog } from '@tidegate/event-log';
import { encodeFrame, withCursor } from './frame.ts';
import { batchOf, FrameBatch } from './frame-batch.ts';
import type { Group } from './group.ts';
import type { LiveRequest, LiveSubscription, Sink } from './live-request.ts';
import { Membership, type Member } from './membership.ts';
import { SharedReplay, type Fence } from './shared-replay.ts';
import type { StreamFeed } from './stream-feed.ts';

export interface SubscriberOptions {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  readonly request: LiveRequest;
  readonly sink: Sink;
  /** The group of all subscriptions that are equal to this one. */
  readonly groupOf: (request: LiveRequest) => Group;
  /** Takes the membership out of its group, which ends with its last one. */
  readonly leave: (membership: Membership) => void;
  /** Decodes and checks the request's cursor. @throws TidegateError CURSOR_* */
  readonly decodeCursor: (
    text: string,
    group: Group,
  ) => { positions: ReadonlyMap<number, number>; floorVersion: number };
  /** Most live changes that may wait while this subscriber catches up. */
  readonly maxPendingFrames: number;
  /** How long a cursor of another replica may be ahead of this one's tail. */
  readonly reachTimeoutMs: number;
  readonly onEnd: (subscriber: Subscriber) => void;
}

/** How often rights may change before the first change of the oldest is rendered. */
const MAX_MEMBERSHIPS = 8;

/**
 * One subscription: joins its group at once, lets live frames wait while it sends the snapshot or what was missed,
 * then hands over at exactly the change where it joined.
 */
export class Subscriber implements Member, LiveSubscription {
  readonly #options: SubscriberOptions;
  readonly #ended = new AbortController();
  #phase: 'catching-up' | 'live' | 'ended' = 'catching-up';
  /** One, but while rights change: each takes over where the one before it ends. */
  #memberships: [Membership, ...Membership[]];
  /** Changes of the key up to this version are contained in what the client has. */
  #floorVersion = 0;
  /** Whether it was sent a message, whose cursor says where it stands, since positions were told last. */
  #spoken = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#memberships = [this.#join(options.request)];
  }

  /** Never rejects: what goes wrong is the sink's last word. */
  async open(): Promise<void> {
    const { cursor, snapshot } = this.#options.request;
    try {
      if (cursor !== undefined) await this.#replay(cursor);
      else if (snapshot) await this.#sendSnapshot();
      this.#goLive();
    } catch (error) {
      this.fail(toTidegateError(error));
    }
  }

  take(membership: Membership, batch: FrameBatch): void {
    if (this.#phase === 'live' && membership === this.#memberships[0])
      return this.#send(batch, membership.group);
    if (this.#phase === 'ended') return;
    membership.wait(batch);
    if (
      this.#memberships.reduce((sum, { pendingFrames }) => sum + pendingFrames, 0) >
      this.#options.maxPendingFrames
    )
      this.fail(tooSlow());
  }

  fail(error: TidegateError): void {
    if (!this.#end()) return;
    this.#options.sink.fail(error);
  }

  stop(): void {
    this.#end();
  }

  renew(request: LiveRequest): void {
    const before = this.#newest;
    if (this.#phase === 'ended' || request.scope.id === before.request.scope.id) return;
    const { seq } = this.#options.feed;
    before.endWith(seq);
    this.#memberships.push(this.#join(request));
    if (this.#memberships.length > MAX_MEMBERSHIPS) return this.fail(tooSlow());
    // What the old group still renders comes first, so that no key's changes overtake each other.
    before.group.settled(() => {
      before.isOver = true;
      this.#flush();
    });
  }

  get #newest(): Membership {
    return this.#memberships.at(-1)!;
  }

  #join(request: LiveRequest): Membership {
    const group = this.#options.groupOf(request);
    const membership = new Membership({ group, request, member: this, from: this.#options.feed.seq });
    group.members.add(membership);
    return membership;
  }

  async #replay(text: string): Promise<void> {
    const { feed, log, sink } = this.#options;
    const cursor = this.#options.decodeCursor(text, this.#newest.group);
    this.#floorVersion = cursor.floorVersion;
    const fence = await this.#joinAt(cursor.positions);
    const { group, request } = this.#memberships[0];
    const term = request.field.term(request.args, request.scope);
    const from = cursor.positions;
    const missed = group.replayAfter(text, () => new SharedReplay({ log, feed, group, term, from }));
    for await (const batch of missed.before(fence)) {
      // Looked at again: others replay to the same connection, and coming back would change nothing.
      for (let ready = sink.ready?.(); ready; ready = sink.ready?.()) await ready;
      if (this.#isEnded()) return;
      this.#send(batch, group);
    }
  }

  /**
   * Joins once the feed has come as far as the cursor, which may be from a replica that is ahead of this one. Resolves
   * with where the replay ends and live changes begin.
   */
  async #joinAt(positions: ReadonlyMap<number, number>): Promise<Fence> {
    const timeout = AbortSignal.timeout(this.#options.reachTimeoutMs);
    try {
      await this.#options.feed.reached(positions, AbortSignal.any([timeout, this.#ended.signal]));
    } catch (error) {
      if (!timeout.aborted) throw error;
      throw new TidegateError('UNAVAILABLE', 'This replica has not come as far as your cursor; come back.');
    }
    // What arrived while waiting was before the cursor, or is in the history: the join moves here, to the rights of
    // now when they have changed meanwhile.
    const { feed } = this.#options;
    if (!this.#isEnded()) this.#keepNewest();
    this.#newest.beginAfter(feed.seq);
    return { seq: feed.seq, positions: [...feed.positions] };
  }

  #keepNewest(): void {
    for (const membership of this.#memberships.slice(0, -1)) this.#options.leave(membership);
    this.#memberships = [this.#newest];
  }

  /** Read again when rights have changed meanwhile: it is shown by those of now. */
  async #sendSnapshot(): Promise<void> {
    const { feed } = this.#options;
    for (let membership = this.#newest; ; membership = this.#newest) {
      const { group, request } = membership;
      const positions = group.relevant(feed.positions);
      const snapshot = await request.snapshot?.();
      if (this.#phase === 'ended') return;
      if (membership !== this.#newest) continue;
      if (!snapshot || !request.scope.sees(snapshot.data)) {
        if (request.field.snapshotOptional && !snapshot) return;
        throw new TidegateError('NOT_FOUND', 'There is nothing of this id that you may watch.');
      }
      const { key, version, data } = snapshot;
      const result = await request.render(data, undefined);
      if (membership !== this.#newest) continue;
      const facts = { cursor: group.cursor(positions, version), kind: 'snapshot', key, version } as const;
      this.#send(new FrameBatch([encodeFrame(result, facts, 0)]), group);
      this.#floorVersion = version;
      return;
    }
  }

  #goLive(): void {
    if (this.#phase !== 'catching-up') return;
    this.#phase = 'live';
    this.#flush();
  }

  /** Sends what waits, across memberships that are over. */
  #flush(): void {
    while (this.#phase === 'live') {
      const [current, next] = this.#memberships;
      const batch = current.next();
      if (batch) this.#send(batch, current.group);
      else if (next && current.isOver) {
        this.#options.leave(current);
        this.#memberships = this.#memberships.slice(1) as [Membership, ...Membership[]];
      } else break;
    }
    this.#spoken = false;
    this.tellPosition();
  }

  /**
   * Tells a client to whom nothing was said for a while where it stands; without that it would stand still. Only when
   * it has been told everything up to now.
   */
  tellPosition(): void {
    const { feed, sink } = this.#options;
    const [{ group }, next] = this.#memberships;
    if (this.#phase !== 'live' || next || !sink.position || !group.idle) return;
    if (!this.#spoken) sink.position(group.position(feed.positions, this.#floorVersion));
    this.#spoken = false;
  }

  /** @param from the group that made the frames. */
  #send(shared: FrameBatch, from: Group): void {
    if (this.#phase === 'ended') return;
    let batch = shared.afterVersion(this.#floorVersion);
    if (!batch) return;
    const { once } = this.#options.request.field;
    if (once) batch = new FrameBatch([batch.frames[0]]);
    this.#spoken = true;
    this.#options.sink.next(this.#bound(batch, from));
    if (once && this.#end()) this.#options.sink.complete();
  }

  /** The frames with cursors of the rights of now: under the old ones the client could not come back. */
  #bound(batch: FrameBatch, from: Group): FrameBatch {
    const to = this.#newest.group;
    if (from === to) return batch;
    const frames = batch.frames.map((frame) => {
      const { positions, floorVersion } = from.decode(frame.cursor);
      return withCursor(frame, to.cursor(positions, floorVersion));
    });
    return batchOf(frames)!;
  }

  #isEnded(): boolean {
    return this.#phase === 'ended';
  }

  /** True the first time. */
  #end(): boolean {
    if (this.#phase === 'ended') return false;
    this.#phase = 'ended';
    this.#ended.abort(new TidegateError('INTERNAL', 'the subscription has ended'));
    for (const membership of this.#memberships) this.#options.leave(membership);
    this.#options.onEnd(this);
    return true;
  }
}

function tooSlow(): TidegateError {
  return new TidegateError(
    'SLOW_CONSUMER',
    'Too much happened while this subscription caught up; come back.',
  );
}
