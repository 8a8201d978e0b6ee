import { toTidegateError, type TidegateError } from '@tidegate/core';
import type { FrameBatch } from '../group/frame-batch.ts';
import type { StreamGroups } from '../group/stream-groups.ts';
import type { LiveRequest, LiveSubscription } from '../live-request.ts';
import type { Sink } from '../sink.ts';
import { CatchUp, type CatchUpOptions } from './catch-up.ts';
import { ExactDelivery } from './exact-delivery.ts';
import { deliverFreshSnapshot, type FreshSnapshotContext, type RefreshReason } from './fresh-snapshot.ts';
import type { GroupSubscriber, GroupSubscription } from './group-subscription.ts';
import { Overflow } from './overflow.ts';
import { PositionReport } from './position-report.ts';
import { ScopeHandover } from './scope-handover.ts';

export interface SubscriberOptions extends CatchUpOptions {
  readonly groups: Pick<StreamGroups, 'groupOf' | 'leave'>;
  readonly sink: Sink;
  /** Maximum live frames buffered while the subscription is not live. */
  readonly maxBufferedFrames: number;
  /** Called when a fresh snapshot is delivered in place of changes. */
  readonly onRefresh: (reason: RefreshReason) => void;
  readonly onEnd: (subscriber: Subscriber) => void;
}

type Phase =
  /** The first snapshot, or the changes since the cursor, are delivered. Live frames are buffered. */
  | { readonly name: 'catching-up'; readonly catchUp: CatchUp }
  /** Frames are delivered as they come. */
  | { readonly name: 'live' }
  /** A fresh snapshot is read. Live frames are buffered. */
  | { readonly name: 'refreshing' }
  /** The connection has no room for a fresh snapshot. Live frames are counted and dropped: it will contain them. */
  | { readonly name: 'dropping' }
  | { readonly name: 'ended' };

const LIVE: Phase = { name: 'live' };
const ENDED: Phase = { name: 'ended' };

/**
 * One subscription. Joins its group at once and buffers live frames while it catches up, then continues with exactly
 * the change after the one where it joined. Where changes are missing it continues from a fresh snapshot.
 */
export class Subscriber implements GroupSubscriber, LiveSubscription {
  readonly #options: SubscriberOptions;
  readonly #handover: ScopeHandover;
  readonly #overflow: Overflow;
  readonly #delivery: ExactDelivery;
  readonly #position: PositionReport;
  /** Asynchronous work remembers the phase object at its start, and stops when this is another object. */
  #phase: Phase;

  constructor(options: SubscriberOptions) {
    const { sink, request, groups, feed, maxBufferedFrames } = options;
    this.#options = options;
    this.#handover = new ScopeHandover({ subscriber: this, feed, groups }, request);
    this.#delivery = new ExactDelivery({
      sink,
      handover: this.#handover,
      once: request.field.once ?? false,
      onComplete: () => {
        if (this.#end()) sink.complete();
      },
    });
    this.#position = new PositionReport({ feed, sink, handover: this.#handover, delivery: this.#delivery });
    this.#overflow = new Overflow({
      sink,
      policy: request.field.overflow,
      maxBufferedFrames,
      onDropped: (dropped) => this.#dropUntilRoom(dropped),
    });
    this.#phase = { name: 'catching-up', catchUp: new CatchUp(options, this.#refreshContext()) };
  }

  /** Catches up and goes live. Never rejects: errors are delivered to the sink. */
  async open(): Promise<void> {
    const phase = this.#phase;
    if (phase.name !== 'catching-up') return;
    const isCurrent = (): boolean => this.#phase === phase;
    try {
      const catchingUp = phase.catchUp.run(isCurrent);
      if (catchingUp) await catchingUp;
      if (isCurrent()) this.#goLive();
    } catch (error) {
      this.fail(toTidegateError(error));
    }
  }

  deliver(batch: FrameBatch, place: GroupSubscription): void {
    if (this.#isIn('live') && place === this.#handover.current) return this.#deliverLive(batch, place);
    if (this.#isIn('ended')) return;
    if (this.#isIn('dropping')) return this.#delivery.drop(batch);
    place.buffer(batch);
    this.#failIfSlow();
  }

  fail(error: TidegateError): void {
    if (this.#end()) this.#options.sink.fail(error);
  }

  stop(): void {
    this.#end();
  }

  renew(request: LiveRequest): void {
    if (this.#isIn('ended') || request.scope.id === this.#handover.newest.request.scope.id) return;
    this.#handover.renew(request, () => {
      this.#position.reset();
      this.#flush();
    });
    this.#updateRoute();
    if (this.#isIn('dropping')) this.#handover.keepNewest();
    this.#failIfSlow();
  }

  /** Sends the client its position if it is live, idle and has received everything up to now. */
  deliverPosition(): void {
    if (this.#isIn('live')) this.#position.deliver();
  }

  #goLive(): void {
    this.#enter(LIVE);
    this.#position.reset();
    this.#flush();
  }

  /** Flushes buffered batches, then sends the client its position. */
  #flush(): void {
    while (this.#isIn('live')) {
      const batch = this.#handover.take();
      if (!batch) break;
      this.#deliverLive(batch, this.#handover.current);
    }
    this.#updateRoute();
    this.deliverPosition();
  }

  /** Delivers frames. At a gap, puts the remainder back and reads a fresh snapshot. */
  #deliverLive(batch: FrameBatch, { group }: GroupSubscription): void {
    const rest = this.#delivery.deliver(batch, group);
    if (!rest) return;
    // The delivery may have filled the connection.
    if (this.#isIn('dropping')) this.#delivery.drop(rest);
    if (!this.#isIn('live')) return;
    this.#handover.current.putBack(rest);
    void this.#refresh('gap', rest.frames[0].version - 1);
  }

  /** Recovers from an overflow: drops buffered frames until the connection has room, then refreshes. */
  #dropUntilRoom(dropped: number): void {
    if (this.#isIn('ended')) return;
    this.#delivery.countDropped(dropped);
    const phase = this.#enter({ name: 'dropping' });
    for (const batch of this.#handover.keepNewest()) this.#delivery.drop(batch);
    const isCurrent = (): boolean => this.#phase === phase;
    void this.#overflow.untilSnapshotRoom(isCurrent).then(() => {
      // The snapshot has to contain changes that were dispatched but dropped before they were rendered.
      const version = Math.max(this.#delivery.floorVersion, this.#position.newestVersion());
      if (isCurrent()) return this.#refresh('overflow', version);
    });
  }

  /** Delivers a fresh snapshot and goes live. Never rejects. */
  async #refresh(reason: RefreshReason, version: number): Promise<void> {
    const phase = this.#enter({ name: 'refreshing' });
    const isCurrent = (): boolean => this.#phase === phase;
    try {
      const isDelivered = await deliverFreshSnapshot(this.#refreshContext(), { version, reason, isCurrent });
      if (!isCurrent()) return;
      if (isDelivered) this.#goLive();
      // Other subscriptions have filled the connection meanwhile.
      else this.#dropUntilRoom(0);
    } catch (error) {
      if (isCurrent()) this.fail(toTidegateError(error));
    }
  }

  #refreshContext(): FreshSnapshotContext {
    const { onRefresh } = this.#options;
    return { handover: this.#handover, delivery: this.#delivery, overflow: this.#overflow, onRefresh };
  }

  #isIn(name: Phase['name']): boolean {
    return this.#phase.name === name;
  }

  #enter(phase: Phase): Phase {
    this.#phase = phase;
    this.#updateRoute();
    return phase;
  }

  /** Decides whether frames may bypass this subscriber. Called whenever the answer may have changed. */
  #updateRoute(): void {
    const { current, size } = this.#handover;
    const hasNoBacklog = size === 1 && current.bufferedFrames === 0;
    const isDirect = this.#isIn('live') && hasNoBacklog && this.#delivery.deliversAll(current.group);
    current.setDirect(isDirect ? this.#options.sink : undefined);
  }

  #failIfSlow(): void {
    const error = this.#overflow.check(this.#handover);
    if (error) this.fail(error);
  }

  /** Returns true for the first call. */
  #end(): boolean {
    const phase = this.#phase;
    if (phase.name === 'ended') return false;
    this.#enter(ENDED);
    this.#delivery.end();
    if (phase.name === 'catching-up') phase.catchUp.stop();
    this.#handover.leave();
    this.#options.onEnd(this);
    return true;
  }
}
