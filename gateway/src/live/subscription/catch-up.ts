import { TidegateError } from '@tidegate/core';
import type { StreamFeed } from '../feed/stream-feed.ts';
import type { FrameBatch } from '../group/frame-batch.ts';
import type { LiveRequest } from '../live-request.ts';
import type { ChangeReader } from '../resume/change-reader.ts';
import { fenceAt, type Fence } from '../resume/fence.ts';
import { reachCursor } from '../resume/reach-cursor.ts';
import type { ReplayBudget } from '../resume/replay-budget.ts';
import { SharedReplay } from '../resume/shared-replay.ts';
import { readSnapshot } from '../resume/snapshot.ts';
import { deliverFreshSnapshot, type FreshSnapshotContext } from './fresh-snapshot.ts';

export interface CatchUpOptions {
  readonly reader: ChangeReader;
  readonly feed: StreamFeed;
  /** Memory limit for all cached replays of the hub. */
  readonly replayBudget: ReplayBudget;
  readonly request: LiveRequest;
  /** Maximum wait in milliseconds for a cursor of another replica that is ahead of this one's feed. */
  readonly reachTimeoutMs: number;
  /** Maximum age of a cursor in milliseconds. */
  readonly resumeWindowMs: number;
}

/** First phase of a subscription: delivers its snapshot, or the changes since its cursor. */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #context: FreshSnapshotContext;
  /** Created for a cursor only: most subscriptions have nothing to abort. */
  #reaching: AbortController | undefined;

  constructor(options: CatchUpOptions, context: FreshSnapshotContext) {
    this.#options = options;
    this.#context = context;
  }

  /**
   * Runs synchronously when there is nothing to catch up with.
   *
   * @param isCurrent false once the subscription has ended or overflowed.
   * @throws TidegateError CURSOR_* for a bad cursor, UNAVAILABLE when the feed does not reach it; errors of snapshots.
   */
  run(isCurrent: () => boolean): Promise<void> | undefined {
    const { cursor, snapshot } = this.#options.request;
    if (cursor !== undefined) return this.#replay(cursor, isCurrent);
    return snapshot && this.#deliverSnapshot(isCurrent);
  }

  stop(): void {
    this.#reaching?.abort(new TidegateError('INTERNAL', 'the subscription has ended'));
  }

  async #replay(text: string, isCurrent: () => boolean): Promise<void> {
    const { feed, reader, replayBudget: budget, resumeWindowMs } = this.#options;
    const { handover, delivery, overflow } = this.#context;
    const { positions: from, floorVersion } = handover.newest.group.cursors.decode(text, resumeWindowMs);
    delivery.resumeFrom(floorVersion);
    const fence = await this.#joinAt(from);
    if (!isCurrent()) return;
    const { group, request } = handover.current;
    const term = request.field.term(request.args, request.scope);
    const { rendering } = group;
    const missed = group.replays.after(
      text,
      () => new SharedReplay({ reader, feed, rendering, term, from, budget }),
    );
    for await (const batch of missed.before(fence)) {
      await overflow.untilReplayRoom(isCurrent);
      await reader.turns.next();
      for (let rest: FrameBatch | undefined = batch; rest;) {
        if (!isCurrent()) return;
        rest = delivery.deliver(rest, group);
        if (!rest) continue;
        const version = rest.frames[0].version - 1;
        await deliverFreshSnapshot(this.#context, { version, reason: 'gap', isCurrent });
      }
    }
  }

  /** Moves the place in the group to where the feed has reached the cursor. Resolves with the end of the replay. */
  async #joinAt(positions: ReadonlyMap<number, number>): Promise<Fence> {
    const { feed, reader, reachTimeoutMs } = this.#options;
    this.#reaching = new AbortController();
    await reachCursor(feed, positions, {
      timeoutMs: reachTimeoutMs,
      signal: this.#reaching.signal,
      ends: () => reader.ends(),
    });
    this.#reaching = undefined;
    // Frames buffered during the wait can be dropped: the client has them, or the replay delivers them from the history.
    // Places under earlier scopes are left.
    const { handover } = this.#context;
    const fence = fenceAt(feed);
    handover.keepNewest();
    handover.newest.restartAfter(fence.seq);
    return fence;
  }

  /** Reads again when the scope has changed during the read: the new scope decides. */
  async #deliverSnapshot(isCurrent: () => boolean): Promise<void> {
    const { handover, delivery } = this.#context;
    const { feed } = this.#options;
    for (;;) {
      const { newest } = handover;
      const isStale = (): boolean => newest !== handover.newest;
      const { cursors } = newest.group;
      const snapshot = await readSnapshot({ cursors, feed }, newest.request).catch((error: unknown) => {
        if (!isStale()) throw error;
      });
      if (!isCurrent()) return;
      if (isStale()) continue;
      if (snapshot) delivery.deliverSnapshot(snapshot);
      return;
    }
  }
}
