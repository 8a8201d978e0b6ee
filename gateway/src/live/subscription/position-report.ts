import type { StreamFeed } from '../feed/stream-feed.ts';
import type { Sink } from '../sink.ts';
import type { ExactDelivery } from './exact-delivery.ts';
import type { ScopeHandover } from './scope-handover.ts';

export interface PositionReportOptions {
  readonly feed: StreamFeed;
  readonly sink: Sink;
  readonly handover: ScopeHandover;
  readonly delivery: ExactDelivery;
}

/**
 * Sends idle clients a fresh cursor so that their resume point keeps advancing. A client that received a message since
 * the last report needs none: the message's cursor does the same.
 */
export class PositionReport {
  readonly #options: PositionReportOptions;
  /** Newest change that the client had received by the last report. */
  #reportedSeq = 0;

  constructor(options: PositionReportOptions) {
    this.#options = options;
  }

  /** Makes the next report unconditional, unless the client receives a message before it. */
  reset(): void {
    this.#hasReceived();
  }

  /** Delivers the client's position. To be called while it is live; skips a client that has not received everything. */
  deliver(): void {
    const { feed, sink, handover, delivery } = this.#options;
    const { size, current } = handover;
    if (size > 1 || !sink.deliverPosition || !current.group.isIdle || this.#hasReceived()) return;
    // Versions of the key that the filter or the scope rejected are behind the client as well.
    const floorVersion = Math.max(delivery.floorVersion, this.newestVersion());
    sink.deliverPosition(current.group.cursors.encodePosition(feed.positions, floorVersion));
  }

  /** Newest version the feed has seen for the field's key; 0 if the field has no key or the version is unknown. */
  newestVersion(): number {
    const { feed, handover } = this.#options;
    const { field, args } = handover.newest.request;
    const key = field.key?.(args);
    return key === undefined ? 0 : (feed.newestVersion(key) ?? 0);
  }

  /** Returns true when the client received a message since the last call, directly or through the subscriber. */
  #hasReceived(): boolean {
    const { handover, delivery } = this.#options;
    const newest = Math.max(delivery.newestSeq, handover.current.newestDirectSeq);
    if (newest <= this.#reportedSeq) return false;
    this.#reportedSeq = newest;
    return true;
  }
}
