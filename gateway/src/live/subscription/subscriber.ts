import { TidegateError, toTidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import type { FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { LiveRequest, LiveSubscription } from '../live-request.ts';
import type { Sink } from '../sink.ts';
import type { Member, Membership } from './membership.ts';
import { Memberships, type MembershipsOptions } from './memberships.ts';
import { Outlet } from './outlet.ts';
import { reachCursor } from '../resume/reach-cursor.ts';
import type { ReplayBudget } from '../resume/replay-budget.ts';
import { SharedReplay, type Fence } from '../resume/shared-replay.ts';
import { readSnapshot } from '../resume/snapshot.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

export interface SubscriberOptions extends Pick<MembershipsOptions, 'groupOf' | 'leave'> {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  /** What all that is replayed may keep for others. */
  readonly replayBudget: ReplayBudget;
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
  /** Ends the wait for a cursor's place in the stream; there is nothing to end in most subscriptions. */
  #reaching: AbortController | undefined;
  readonly #memberships: Memberships;
  readonly #outlet: Outlet;
  #inPhase: Phase = 'catching-up';
  /** Counts the fresh snapshots that were begun: one that is overtaken by another is not sent. */
  #refreshes = 0;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#memberships = new Memberships({ ...options, member: this }, options.request);
    const { sink, request } = options;
    this.#outlet = new Outlet({
      sink,
      memberships: this.#memberships,
      once: request.field.once ?? false,
      onSaid: () => {
        if (this.#end()) sink.complete();
      },
    });
    if (request.field.overflow === 'snapshot') sink.onDropped?.((dropped) => this.#drop(dropped));
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

  get #phase(): Phase {
    return this.#inPhase;
  }

  set #phase(phase: Phase) {
    this.#inPhase = phase;
    this.#route();
  }

  /** Lets frames go straight to the sink while nothing here has a say in them. To be called when that may change. */
  #route(): void {
    const { current, size } = this.#memberships;
    const isDirect = this.#inPhase === 'live' && size === 1 && current.pendingFrames === 0;
    current.direct = isDirect && this.#outlet.passesAll(current.group) ? this.#options.sink : undefined;
  }

  take(membership: Membership, batch: FrameBatch): void {
    if (this.#phase === 'live' && membership === this.#memberships.current)
      return this.#pass(batch, membership);
    if (this.#phase === 'ended') return;
    if (this.#phase === 'dropping') return this.#outlet.forget(batch);
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
      this.#takeSpoken();
      this.#flush();
    });
    this.#route();
    if (this.#phase === 'dropping') this.#memberships.keepNewest();
    if (this.#memberships.size > MAX_MEMBERSHIPS) this.fail(tooSlow());
  }

  async #replay(text: string): Promise<void> {
    const { feed, log, sink, replayBudget: budget } = this.#options;
    const cursor = this.#options.decodeCursor(text, this.#memberships.newest.group);
    this.#outlet.floorVersion = cursor.floorVersion;
    const fence = await this.#joinAt(cursor.positions);
    const { group, request } = this.#memberships.current;
    const term = request.field.term(request.args, request.scope);
    const from = cursor.positions;
    const missed = group.replayAfter(text, () => new SharedReplay({ log, feed, group, term, from, budget }));
    for await (const batch of missed.before(fence)) {
      // Looked at again: others replay to the same connection, and coming back would change nothing.
      for (let ready = sink.ready?.(); ready && this.#phase === 'catching-up'; ready = sink.ready?.())
        await ready;
      for (let rest: FrameBatch | undefined = batch; rest;) {
        if (this.#phase !== 'catching-up') return;
        rest = this.#outlet.sendToGap(rest, group);
        if (rest)
          await this.#sendFresh(rest.frames[0].version - 1, 'gap', () => this.#phase === 'catching-up');
      }
    }
  }

  /** Joins once the feed has come as far. Resolves with where the replay ends and live changes begin. */
  async #joinAt(positions: ReadonlyMap<number, number>): Promise<Fence> {
    const { feed, reachTimeoutMs } = this.#options;
    this.#reaching = new AbortController();
    await reachCursor(feed, positions, { timeoutMs: reachTimeoutMs, signal: this.#reaching.signal });
    this.#reaching = undefined;
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
    this.#outlet.send(snapshot, newest.group);
    this.#outlet.floorVersion = snapshot.frames[0].version;
  }

  #goLive(): void {
    this.#phase = 'live';
    this.#takeSpoken();
    this.#flush();
  }

  /** Sends what waits, and where the client then stands. */
  #flush(): void {
    while (this.#phase === 'live') {
      const batch = this.#memberships.next();
      if (!batch) break;
      this.#pass(batch, this.#memberships.current);
    }
    this.#route();
    this.tellPosition();
  }

  /**
   * Tells a client to whom nothing was said for a while where it stands; without that it would stand still. Only when
   * it has been told everything up to now.
   */
  tellPosition(): void {
    const { feed, sink } = this.#options;
    const { group } = this.#memberships.current;
    if (this.#phase !== 'live' || this.#memberships.size > 1 || !sink.deliverPosition || !group.idle) return;
    if (this.#takeSpoken()) return;
    // Of one key what it did not see for its filter or its rights is behind it as well.
    const floorVersion = Math.max(this.#outlet.floorVersion, this.#newestVersion());
    sink.deliverPosition(group.position(feed.positions, floorVersion));
  }

  /** Whether it was sent a message since this was asked last. */
  #takeSpoken(): boolean {
    const spoken = this.#memberships.current.takeSpoken() || this.#outlet.spoken;
    this.#outlet.spoken = false;
    return spoken;
  }

  /** Of the field's one key, as far as the stream has come; 0 when it has none, or it is not known. */
  #newestVersion(): number {
    const { field, args } = this.#memberships.newest.request;
    const key = field.key?.(args);
    return key === undefined ? 0 : (this.#options.feed.newestVersion(key) ?? 0);
  }

  /** Sends frames as they come; where one is missing before them they wait for a fresh snapshot. */
  #pass(batch: FrameBatch, { group }: Membership): void {
    const rest = this.#outlet.sendToGap(batch, group);
    if (!rest) return;
    // Sending may have filled the connection.
    if (this.#phase === 'dropping') this.#outlet.forget(rest);
    if (this.#phase !== 'live') return;
    this.#memberships.current.putBack(rest);
    this.#phase = 'refreshing';
    void this.#refresh(rest.frames[0].version - 1, 'gap');
  }

  /** What waited in the connection was dropped: goes on from a fresh snapshot once there is room for it. */
  #drop(dropped: number): void {
    if (this.#phase === 'ended') return;
    this.#outlet.lost(dropped);
    this.#phase = 'dropping';
    for (const batch of this.#memberships.keepNewest()) this.#outlet.forget(batch);
    void this.#refreshWithRoom();
  }

  async #refreshWithRoom(): Promise<void> {
    const refresh = ++this.#refreshes;
    for (let wait = this.#room(); wait && this.#phase === 'dropping'; wait = this.#room()) await wait;
    if (refresh !== this.#refreshes || this.#phase !== 'dropping') return;
    this.#phase = 'refreshing';
    // Also what was dispatched and forgotten before it was rendered.
    await this.#refresh(Math.max(this.#outlet.floorVersion, this.#newestVersion()), 'overflow');
  }

  /** Undefined when the connection takes a snapshot now; otherwise resolves when that is worth another look. */
  #room(): Promise<void> | undefined {
    const { sink } = this.#options;
    return sink.drained?.() ?? sink.ready?.();
  }

  /** Sends a fresh snapshot, then what waits. Never rejects. */
  async #refresh(version: number, reason: 'gap' | 'overflow'): Promise<void> {
    const refresh = ++this.#refreshes;
    const isCurrent = (): boolean => refresh === this.#refreshes && this.#phase === 'refreshing';
    try {
      const sent = await this.#sendFresh(version, reason, isCurrent);
      if (!isCurrent()) return;
      if (sent) this.#goLive();
      // Others filled the connection meanwhile.
      else this.#drop(0);
    } catch (error) {
      if (isCurrent()) this.fail(toTidegateError(error));
    }
  }

  /**
   * Sends the state at this version or later, in place of all changes up to its version. Resolves with false when it
   * has to stand for what was dropped and there is no room for it any more.
   *
   * @throws TidegateError VERSION_GAP when the field has no snapshot.
   */
  async #sendFresh(version: number, reason: 'gap' | 'overflow', isCurrent: () => boolean): Promise<boolean> {
    const { newest } = this.#memberships;
    if (!newest.request.snapshot)
      throw new TidegateError(
        'VERSION_GAP',
        'A change is missing before the next one; load the state again.',
      );
    const snapshot = await newest.group.freshSnapshots.atLeast(version).catch((error: unknown) => {
      if (newest === this.#memberships.newest) throw error;
    });
    if (!isCurrent()) return false;
    if (!snapshot || newest !== this.#memberships.newest) return this.#sendFresh(version, reason, isCurrent);
    if (reason === 'overflow' && this.#room()) return false;
    this.#options.onRefresh(reason);
    this.#outlet.sendFresh(snapshot);
    return true;
  }

  /** True the first time. */
  #end(): boolean {
    if (this.#phase === 'ended') return false;
    this.#phase = 'ended';
    this.#outlet.end();
    this.#reaching?.abort(new TidegateError('INTERNAL', 'the subscription has ended'));
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
