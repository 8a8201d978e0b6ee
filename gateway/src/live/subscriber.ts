import { TidegateError, toTidegateError } from '@tidegate/errors';
import type { EventLog } from '@tidegate/event-log';
import type { Frame } from './frame.ts';
import { batchOf, FrameBatch } from './frame-batch.ts';
import type { Group } from './group.ts';
import type { LiveRequest, LiveSubscription, Sink } from './live-request.ts';
import type { Member, Membership } from './membership.ts';
import { Memberships, type MembershipsOptions } from './memberships.ts';
import { reachCursor } from './reach-cursor.ts';
import { SharedReplay, type Fence } from './shared-replay.ts';
import { readSnapshot } from './snapshot.ts';
import type { StreamFeed } from './stream-feed.ts';

export interface SubscriberOptions extends Pick<MembershipsOptions, 'groupOf' | 'leave'> {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  readonly request: LiveRequest;
  readonly sink: Sink;
  /** Decodes and checks the request's cursor. @throws TidegateError CURSOR_* */
  readonly decodeCursor: (
    text: string,
    group: Group,
  ) => { positions: ReadonlyMap<number, number>; floorVersion: number };
  /** Most live changes that may wait while this subscriber catches up. */
  readonly maxPendingFrames: number;
  /** How long a cursor of another replica may be ahead of this one's tail. */
  readonly reachTimeoutMs: number;
  /** A fresh snapshot is sent in place of changes that are missing, or were dropped. */
  readonly onRefresh: (reason: 'gap' | 'overflow') => void;
  readonly onEnd: (subscriber: Subscriber) => void;
}

/** How often rights may change before the first change of the oldest is rendered. */
const MAX_MEMBERSHIPS = 8;

type Phase =
  /** The first snapshot or what was missed is being sent; live frames wait. */
  | 'catching-up'
  /** Frames are sent as they come. */
  | 'live'
  /** A fresh snapshot is being read; frames wait. */
  | 'refreshing'
  /** There is no room for a fresh snapshot; frames are counted and forgotten, for it will contain them. */
  | 'dropping'
  | 'ended';

/**
 * One subscription: joins its group at once, lets live frames wait while it sends the snapshot or what was missed,
 * then hands over at exactly the change where it joined. Where changes are missing it goes on from a fresh snapshot.
 */
export class Subscriber implements Member, LiveSubscription {
  readonly #options: SubscriberOptions;
  readonly #ended = new AbortController();
  readonly #memberships: Memberships;
  #phase: Phase = 'catching-up';
  /** Changes of the key up to this version are contained in what the client has; 0 while that is not known. */
  #floorVersion = 0;
  /** Messages that were left out since the client was told last. */
  #dropped = 0;
  /** Counts the fresh snapshots that were begun: one that is overtaken by another is not sent. */
  #refreshes = 0;
  /** Whether it was sent a message, whose cursor says where it stands, since positions were told last. */
  #spoken = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#memberships = new Memberships({ ...options, member: this }, options.request);
    options.sink.onDrop?.((dropped) => this.#drop(dropped));
  }

  /** Never rejects: what goes wrong is the sink's last word. */
  async open(): Promise<void> {
    const { cursor, snapshot } = this.#options.request;
    try {
      if (cursor !== undefined) await this.#replay(cursor);
      else if (snapshot) await this.#sendSnapshot();
      if (this.#phase === 'catching-up') this.#goLive();
    } catch (error) {
      this.fail(toTidegateError(error));
    }
  }

  take(membership: Membership, batch: FrameBatch): void {
    if (this.#phase === 'live' && membership === this.#memberships.current)
      return this.#pass(batch, membership);
    if (this.#phase === 'ended') return;
    if (this.#phase === 'dropping') return this.#forget(batch);
    membership.wait(batch);
    if (this.#memberships.pendingFrames > this.#options.maxPendingFrames) this.fail(tooSlow());
  }

  fail(error: TidegateError): void {
    if (!this.#end()) return;
    this.#options.sink.fail(error);
  }

  stop(): void {
    this.#end();
  }

  renew(request: LiveRequest): void {
    const { newest } = this.#memberships;
    if (this.#phase === 'ended' || request.scope.id === newest.request.scope.id) return;
    this.#memberships.goOn(request, () => {
      this.#spoken = false;
      this.#flush();
    });
    if (this.#phase === 'dropping') this.#memberships.keepNewest();
    if (this.#memberships.size > MAX_MEMBERSHIPS) this.fail(tooSlow());
  }

  async #replay(text: string): Promise<void> {
    const { feed, log, sink } = this.#options;
    const cursor = this.#options.decodeCursor(text, this.#memberships.newest.group);
    this.#floorVersion = cursor.floorVersion;
    const fence = await this.#joinAt(cursor.positions);
    const { group, request } = this.#memberships.current;
    const term = request.field.term(request.args, request.scope);
    const from = cursor.positions;
    const missed = group.replayAfter(text, () => new SharedReplay({ log, feed, group, term, from }));
    for await (const batch of missed.before(fence)) {
      // Looked at again: others replay to the same connection, and coming back would change nothing.
      for (let ready = sink.ready?.(); ready; ready = sink.ready?.()) await ready;
      for (let rest: FrameBatch | undefined = batch; rest;) {
        if (this.#phase !== 'catching-up') return;
        rest = this.#sendToGap(rest, group);
        if (rest)
          await this.#sendFresh(rest.frames[0].version - 1, 'gap', () => this.#phase === 'catching-up');
      }
    }
  }

  /** Joins once the feed has come as far. Resolves with where the replay ends and live changes begin. */
  async #joinAt(positions: ReadonlyMap<number, number>): Promise<Fence> {
    const { feed, reachTimeoutMs } = this.#options;
    await reachCursor(feed, positions, { timeoutMs: reachTimeoutMs, signal: this.#ended.signal });
    // What arrived while waiting was before the cursor, or is in the history: the join moves here, to the rights of
    // now when they have changed meanwhile.
    if (this.#phase !== 'ended') this.#memberships.keepNewest();
    this.#memberships.newest.beginAfter(feed.seq);
    return { seq: feed.seq, positions: [...feed.positions] };
  }

  /** Read again when rights have changed meanwhile: it is shown by those of now. */
  async #sendSnapshot(): Promise<void> {
    const { newest } = this.#memberships;
    const isOld = (): boolean => newest !== this.#memberships.newest;
    const snapshot = await readSnapshot(
      { group: newest.group, feed: this.#options.feed },
      newest.request,
    ).catch((error: unknown) => {
      if (!isOld()) throw error;
    });
    if (this.#phase !== 'catching-up') return;
    if (isOld()) return this.#sendSnapshot();
    if (!snapshot) return;
    this.#send(snapshot, newest.group);
    this.#floorVersion = snapshot.frames[0].version;
  }

  #goLive(): void {
    this.#phase = 'live';
    this.#spoken = false;
    this.#flush();
  }

  /** Sends what waits, and where the client then stands. */
  #flush(): void {
    while (this.#phase === 'live') {
      const batch = this.#memberships.next();
      if (!batch) break;
      this.#pass(batch, this.#memberships.current);
    }
    this.tellPosition();
  }

  /**
   * Tells a client to whom nothing was said for a while where it stands; without that it would stand still. Only when
   * it has been told everything up to now.
   */
  tellPosition(): void {
    const { feed, sink } = this.#options;
    const { group, request } = this.#memberships.current;
    if (this.#phase !== 'live' || this.#memberships.size > 1 || !sink.position || !group.idle) return;
    // Of one key what it did not see for its filter or its rights is behind it as well.
    const key = request.field.key?.(request.args);
    const newest = key === undefined ? 0 : (feed.newestVersion(key) ?? 0);
    if (!this.#spoken) sink.position(group.position(feed.positions, Math.max(this.#floorVersion, newest)));
    this.#spoken = false;
  }

  /** Sends frames as they come; where one is missing before them they wait for a fresh snapshot. */
  #pass(batch: FrameBatch, { group }: Membership): void {
    const rest = this.#sendToGap(batch, group);
    if (!rest) return;
    // Sending may have filled the connection.
    if (this.#phase === 'dropping') this.#forget(rest);
    if (this.#phase !== 'live') return;
    this.#memberships.current.putBack(rest);
    this.#phase = 'refreshing';
    void this.#refresh(rest.frames[0].version - 1, 'gap');
  }

  /** Sends up to the first frame before which one is missing; returns the rest. */
  #sendToGap(batch: FrameBatch, from: Group): FrameBatch | undefined {
    const at = batch.isDense ? -1 : batch.frames.findIndex((frame) => this.#misses(frame));
    if (at < 0) {
      this.#send(batch, from);
      return undefined;
    }
    const before = batchOf(batch.frames.slice(0, at));
    if (before) this.#send(before, from);
    return batchOf(batch.frames.slice(at));
  }

  /** Whether the client has not seen the version before this one. */
  #misses({ version, continuity }: Frame): boolean {
    if (continuity === 'next' || version <= this.#floorVersion + 1) return false;
    return continuity === 'gap' || this.#floorVersion > 0;
  }

  /** @param from the group that made the frames. */
  #send(shared: FrameBatch, from: Group): void {
    if (this.#phase === 'ended') return;
    const floor = this.#floorVersion;
    if (from.isOfOneKey) this.#floorVersion = Math.max(floor, shared.frames.at(-1)!.version);
    let batch = shared.afterVersion(floor);
    if (batch && !batch.isDense) batch = batch.filter(({ hidden }) => !hidden);
    if (!batch) return;
    const { once } = this.#options.request.field;
    if (once) batch = new FrameBatch([batch.frames[0]]);
    this.#spoken = true;
    this.#options.sink.next(this.#memberships.bound(batch, from));
    if (once && this.#end()) this.#options.sink.complete();
  }

  /** What waited in the connection was dropped: goes on from a fresh snapshot once there is room for it. */
  #drop(dropped: number): void {
    if (this.#phase === 'ended') return;
    this.#dropped += dropped;
    this.#phase = 'dropping';
    for (const batch of this.#memberships.keepNewest()) this.#forget(batch);
    void this.#refreshWithRoom();
  }

  #forget(batch: FrameBatch): void {
    this.#dropped += batch.frames.filter(
      ({ version, hidden }) => version > this.#floorVersion && !hidden,
    ).length;
    this.#floorVersion = Math.max(this.#floorVersion, batch.frames.at(-1)!.version);
  }

  async #refreshWithRoom(): Promise<void> {
    const { sink } = this.#options;
    const refresh = ++this.#refreshes;
    const room = (): Promise<void> | undefined => sink.drained?.() ?? sink.ready?.();
    for (let wait = room(); wait; wait = room()) await wait;
    if (refresh !== this.#refreshes || this.#phase !== 'dropping') return;
    this.#phase = 'refreshing';
    await this.#refresh(this.#floorVersion, 'overflow');
  }

  /** Sends a fresh snapshot, then what waits. Never rejects. */
  async #refresh(version: number, reason: 'gap' | 'overflow'): Promise<void> {
    const refresh = ++this.#refreshes;
    const isCurrent = (): boolean => refresh === this.#refreshes && this.#phase === 'refreshing';
    try {
      await this.#sendFresh(version, reason, isCurrent);
      if (isCurrent()) this.#goLive();
    } catch (error) {
      if (isCurrent()) this.fail(toTidegateError(error));
    }
  }

  /**
   * Sends the state at this version or later, in place of all changes up to its version.
   *
   * @throws TidegateError VERSION_GAP when the field has no snapshot.
   */
  async #sendFresh(version: number, reason: 'gap' | 'overflow', isCurrent: () => boolean): Promise<void> {
    const { newest } = this.#memberships;
    if (!newest.request.snapshot)
      throw new TidegateError(
        'VERSION_GAP',
        'A change is missing before the next one; load the state again.',
      );
    const snapshot = await newest.group.freshSnapshots.atLeast(version).catch((error: unknown) => {
      if (newest === this.#memberships.newest) throw error;
    });
    if (!isCurrent()) return;
    if (!snapshot || newest !== this.#memberships.newest) return this.#sendFresh(version, reason, isCurrent);
    this.#floorVersion = snapshot.frames[0].version;
    this.#options.onRefresh(reason);
    this.#spoken = true;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#options.sink.next(snapshot, ...(dropped > 0 ? [dropped] : []));
  }

  /** True the first time. */
  #end(): boolean {
    if (this.#phase === 'ended') return false;
    this.#phase = 'ended';
    this.#ended.abort(new TidegateError('INTERNAL', 'the subscription has ended'));
    this.#memberships.leave();
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
