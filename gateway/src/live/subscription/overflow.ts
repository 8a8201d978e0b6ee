import type { OverflowPolicy } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { Sink } from '../sink.ts';
import type { ScopeHandover } from './scope-handover.ts';

export interface OverflowOptions {
  readonly sink: Sink;
  /** Overflow policy of the field. */
  readonly policy: OverflowPolicy;
  /** Maximum live frames buffered while the subscription is not live. */
  readonly maxBufferedFrames: number;
  /** Called when the outbound queue has dropped messages under the policy `snapshot`. */
  readonly onDropped: (dropped: number) => void;
}

/** Maximum places of a subscriber: how often its scope may change before the oldest group has caught up. */
const MAX_PLACES = 8;

/**
 * A slow client, as far as the live engine is concerned. The bounded buffers on the way to it, in order:
 *
 * | Buffer                               | Limit             | When full                                               |
 * | ------------------------------------ | ----------------- | ------------------------------------------------------- |
 * | changes that a group has to render   | `maxQueued`       | every subscription of the group fails                   |
 * | frames while a subscription catches  | `maxQueued`       | the subscription fails with SLOW_CONSUMER               |
 * | up or reads a fresh snapshot         |                   |                                                         |
 * | places while the scope changes       | 8                 | the subscription fails with SLOW_CONSUMER               |
 * | a replay                             | none              | backpressure: it waits until the outbound queue has room|
 * | the connection's outbound queue      | the transport's   | the field's overflow policy applies                     |
 *
 * The outbound queue applies `close` and `latest-per-key` itself. Under `snapshot` it drops the subscription's messages
 * and calls the listener set here. The subscription then drops frames until there is room, and continues from a fresh
 * snapshot that states how many messages it replaces.
 */
export class Overflow {
  readonly #sink: Sink;
  readonly #maxBufferedFrames: number;

  constructor({ sink, policy, maxBufferedFrames, onDropped }: OverflowOptions) {
    this.#sink = sink;
    this.#maxBufferedFrames = maxBufferedFrames;
    if (policy === 'snapshot') sink.onDropped?.(onDropped);
  }

  /** Returns the error to fail with when the subscriber buffers too much. */
  check({ bufferedFrames, size }: Pick<ScopeHandover, 'bufferedFrames' | 'size'>): TidegateError | undefined {
    if (bufferedFrames <= this.#maxBufferedFrames && size <= MAX_PLACES) return undefined;
    return new TidegateError(
      'SLOW_CONSUMER',
      'Too much happened while this subscription caught up; come back.',
    );
  }

  /** True when the connection accepts a fresh snapshot now. */
  get hasSnapshotRoom(): boolean {
    return this.#waitForSnapshotRoom() === undefined;
  }

  /** Resolves when the client has read its backlog, or `isCurrent` turns false. */
  async untilSnapshotRoom(isCurrent: () => boolean): Promise<void> {
    for (let room = this.#waitForSnapshotRoom(); room && isCurrent(); room = this.#waitForSnapshotRoom())
      await room;
  }

  /** Resolves when the outbound queue has room for the next batch of a replay, or `isCurrent` turns false. */
  async untilReplayRoom(isCurrent: () => boolean): Promise<void> {
    // Checked again after each wait: other subscriptions replay to the same connection.
    for (let room = this.#sink.ready?.(); room && isCurrent(); room = this.#sink.ready?.()) await room;
  }

  #waitForSnapshotRoom(): Promise<void> | undefined {
    return this.#sink.drained?.() ?? this.#sink.ready?.();
  }
}
