import { TidegateError, toTidegateError } from '@tidegate/errors';
import type { EventLog } from '@tidegate/event-log';
import { encodeFrame } from './frame.ts';
import { FrameBatch } from './frame-batch.ts';
import type { Group, GroupMember } from './group.ts';
import type { LiveRequest, LiveSubscription, Sink } from './live-request.ts';
import { SharedReplay, type Fence } from './shared-replay.ts';
import type { StreamFeed } from './stream-feed.ts';

export interface SubscriberOptions {
  readonly log: EventLog;
  readonly feed: StreamFeed;
  readonly group: Group;
  readonly request: LiveRequest;
  readonly sink: Sink;
  /** Decodes and checks the request's cursor. @throws TidegateError CURSOR_* */
  readonly decodeCursor: (text: string) => { positions: ReadonlyMap<number, number>; floorVersion: number };
  /** Most live changes that may wait while this subscriber catches up. */
  readonly maxPendingFrames: number;
  /** How long a cursor of another replica may be ahead of this one's tail. */
  readonly reachTimeoutMs: number;
  readonly onEnd: (subscriber: Subscriber) => void;
}

type Phase =
  | { readonly name: 'catching-up'; readonly pending: FrameBatch[]; pendingFrames: number }
  | { readonly name: 'live' }
  | { readonly name: 'ended' };

/**
 * One subscription: joins its group at once, lets live frames wait while it sends the snapshot or what was missed,
 * then hands over at exactly the change where it joined.
 */
export class Subscriber implements GroupMember, LiveSubscription {
  readonly #options: SubscriberOptions;
  readonly #ended = new AbortController();
  #phase: Phase = { name: 'catching-up', pending: [], pendingFrames: 0 };
  /** The hub's newest change when this joined: up to it the replay's business, after it the group's. */
  #joinedAt: number;
  /** Changes of the key up to this version are contained in what the client has. */
  #floorVersion = 0;
  /** Whether it was sent a message, whose cursor says where it stands, since positions were told last. */
  #spoken = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#joinedAt = options.feed.seq;
  }

  /** Never rejects: what goes wrong is the sink's last word. */
  async open(): Promise<void> {
    try {
      if (this.#options.request.cursor !== undefined) await this.#replay(this.#options.request.cursor);
      else if (this.#options.request.snapshot) await this.#sendSnapshot(this.#options.request.snapshot);
      this.#goLive();
    } catch (error) {
      this.fail(toTidegateError(error));
    }
  }

  deliver(shared: FrameBatch): void {
    if (this.#phase.name === 'ended') return;
    // A group that renders slowly may still deliver what was before the join.
    const batch = shared.filter(({ seq }) => seq > this.#joinedAt);
    if (!batch) return;
    if (this.#phase.name === 'live') return this.#send(batch);
    this.#phase.pending.push(batch);
    this.#phase.pendingFrames += batch.frames.length;
    if (this.#phase.pendingFrames > this.#options.maxPendingFrames) {
      this.fail(
        new TidegateError('SLOW_CONSUMER', 'Too much happened while this subscription caught up; come back.'),
      );
    }
  }

  fail(error: TidegateError): void {
    if (!this.#end()) return;
    this.#options.sink.fail(error);
  }

  stop(): void {
    this.#end();
  }

  async #replay(text: string): Promise<void> {
    const { feed, group, log, request } = this.#options;
    const cursor = this.#options.decodeCursor(text);
    this.#floorVersion = cursor.floorVersion;
    const fence = await this.#joinAt(cursor.positions);
    const term = request.field.term(request.args, request.scope);
    const from = cursor.positions;
    const missed = group.replayAfter(text, () => new SharedReplay({ log, feed, group, term, from }));
    for await (const batch of missed.before(fence)) {
      // Looked at again: others replay to the same connection, and coming back would change nothing.
      const { sink } = this.#options;
      for (let ready = sink.ready?.(); ready; ready = sink.ready?.()) await ready;
      if (this.#isEnded()) return;
      this.#send(batch);
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
    // What arrived while waiting was before the cursor, or is in the history: the join moves here.
    const { feed } = this.#options;
    this.#joinedAt = feed.seq;
    if (this.#phase.name === 'catching-up')
      this.#phase = { name: 'catching-up', pending: [], pendingFrames: 0 };
    return { seq: feed.seq, positions: [...feed.positions] };
  }

  async #sendSnapshot(read: NonNullable<LiveRequest['snapshot']>): Promise<void> {
    const { feed, group, request } = this.#options;
    const positions = group.relevant(feed.positions);
    const snapshot = await read();
    if (this.#phase.name === 'ended') return;
    if (!snapshot || !request.scope.sees(snapshot.data)) {
      if (request.field.snapshotOptional && !snapshot) return;
      throw new TidegateError('NOT_FOUND', 'There is nothing of this id that you may watch.');
    }
    const { key, version, data } = snapshot;
    const result = await request.render(data, undefined);
    const facts = { cursor: group.cursor(positions, version), kind: 'snapshot', key, version } as const;
    this.#send(new FrameBatch([encodeFrame(result, facts, 0)]));
    this.#floorVersion = version;
  }

  #goLive(): void {
    if (this.#phase.name !== 'catching-up') return;
    const { pending } = this.#phase;
    this.#phase = { name: 'live' };
    for (const batch of pending) this.#send(batch);
    this.#spoken = false;
    this.tellPosition();
  }

  /**
   * Tells a client to whom nothing was said for a while where it stands; without that it would stand still. Only when
   * it has been told everything up to now.
   */
  tellPosition(): void {
    const { feed, group, sink } = this.#options;
    if (this.#phase.name !== 'live' || !sink.position || !group.idle) return;
    if (!this.#spoken) sink.position(group.position(feed.positions, this.#floorVersion));
    this.#spoken = false;
  }

  #send(shared: FrameBatch): void {
    if (this.#phase.name === 'ended') return;
    let batch = shared.filter(({ version }) => version > this.#floorVersion);
    if (!batch) return;
    const { once } = this.#options.request.field;
    if (once) batch = new FrameBatch([batch.frames[0]]);
    this.#spoken = true;
    this.#options.sink.next(batch);
    if (once && this.#end()) this.#options.sink.complete();
  }

  #isEnded(): boolean {
    return this.#phase.name === 'ended';
  }

  /** True the first time. */
  #end(): boolean {
    if (this.#phase.name === 'ended') return false;
    this.#phase = { name: 'ended' };
    this.#ended.abort(new TidegateError('INTERNAL', 'the subscription has ended'));
    this.#options.onEnd(this);
    return true;
  }
}
