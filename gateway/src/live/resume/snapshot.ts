import { TidegateError, toTidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
import { encodeFrame } from '../group/frame.ts';
import { FrameBatch } from '../group/frame-batch.ts';
import type { Group } from '../group/group.ts';
import type { LiveRequest } from '../live-request.ts';
import type { StreamFeed } from '../feed/stream-feed.ts';

/** Where a snapshot is read: whose cursors it gets, and how far the stream has come. */
export interface SnapshotPlace {
  readonly group: Pick<Group, 'relevant' | 'cursor'>;
  readonly feed: Pick<StreamFeed, 'positions'>;
}

/**
 * The state now as a message; undefined when there is none and the field does not need one. Its cursor says what had
 * happened before it was read, which it contains, and its version.
 *
 * @throws TidegateError NOT_FOUND when there is nothing that the request's scope sees; whatever the field's read throws.
 */
export async function readSnapshot(
  { group, feed }: SnapshotPlace,
  request: LiveRequest,
): Promise<FrameBatch | undefined> {
  const positions = group.relevant(feed.positions);
  const snapshot = await request.snapshot?.();
  if (!snapshot && request.field.snapshotOptional) return undefined;
  if (!snapshot || !request.scope.sees(snapshot.data)) {
    throw new TidegateError('NOT_FOUND', 'There is nothing of this id that you may watch.');
  }
  const { key, version, data } = snapshot;
  const result = await request.render(data, undefined);
  const facts = { cursor: group.cursor(positions, version), kind: 'snapshot', key, version } as const;
  return new FrameBatch([encodeFrame(result, facts, 0)]);
}

/** How long a snapshot serves those who ask after it was read: they come together, or not at all. */
const SHARED_MS = 5_000;
const RETRIES = { attempts: 6, firstMs: 100, maxMs: 5_000 };

/** Fresh snapshots for a group's subscriptions that cannot go on by changes: one read serves all that ask together. */
export class FreshSnapshots {
  readonly #read: () => Promise<FrameBatch | undefined>;
  #shared:
    | { readonly atLeast: number; readonly askedAtMs: number; readonly batch: Promise<FrameBatch> }
    | undefined;

  constructor(read: () => Promise<FrameBatch | undefined>) {
    this.#read = read;
  }

  /**
   * The state at this version or later. Tried again, a few times with growing pauses, while what it is read from is
   * away or behind.
   *
   * @throws TidegateError STALE_READ when it stays behind; otherwise what the last read threw.
   */
  atLeast(version: number): Promise<FrameBatch> {
    const known = this.#shared;
    if (known && known.atLeast >= version && Date.now() - known.askedAtMs < SHARED_MS) return known.batch;
    const batch = retry(() => this.#readAtLeast(version), {
      ...RETRIES,
      retryable: (error) => toTidegateError(error).retryable,
    });
    const shared = { atLeast: version, askedAtMs: Date.now(), batch };
    this.#shared = shared;
    batch.catch(() => {
      // Whoever asks later is worth another try.
      if (this.#shared === shared) this.#shared = undefined;
    });
    return batch;
  }

  async #readAtLeast(version: number): Promise<FrameBatch> {
    const batch = await this.#read();
    if (!batch) throw new TidegateError('NOT_FOUND', 'There is nothing of this id that you may watch.');
    if (batch.frames[0].version < version) {
      throw new TidegateError('STALE_READ', 'The state that was read is older than its changes; come back.');
    }
    return batch;
  }
}
