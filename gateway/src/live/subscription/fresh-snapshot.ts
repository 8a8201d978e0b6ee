import { TidegateError } from '@tidegate/core';
import type { ExactDelivery } from './exact-delivery.ts';
import type { Overflow } from './overflow.ts';
import type { ScopeHandover } from './scope-handover.ts';

/** Why changes cannot be delivered: a version is missing, or the client was too slow. */
export type RefreshReason = 'gap' | 'overflow';

export interface FreshSnapshotContext {
  readonly handover: ScopeHandover;
  readonly delivery: ExactDelivery;
  readonly overflow: Overflow;
  /** Called when a fresh snapshot is delivered. */
  readonly onRefresh: (reason: RefreshReason) => void;
}

/**
 * Delivers a snapshot of at least `version`. It replaces all changes up to the snapshot's own version.
 *
 * @param isCurrent false once the snapshot is no longer wanted.
 * @returns false when it was not delivered: it is no longer wanted, or after an overflow there is no room for it again.
 * @throws TidegateError VERSION_GAP when the field has no snapshot.
 */
export async function deliverFreshSnapshot(
  { handover, delivery, overflow, onRefresh }: FreshSnapshotContext,
  refresh: { readonly version: number; readonly reason: RefreshReason; readonly isCurrent: () => boolean },
): Promise<boolean> {
  const { version, reason, isCurrent } = refresh;
  for (;;) {
    const { newest } = handover;
    if (!newest.request.snapshot)
      throw new TidegateError(
        'VERSION_GAP',
        'A change is missing before the next one; load the state again.',
      );
    // Read again, also after an error, when the scope has changed meanwhile: the new scope decides.
    const isStale = (): boolean => newest !== handover.newest;
    const snapshot = await newest.group.freshSnapshots.atLeast(version).catch((error: unknown) => {
      if (!isStale()) throw error;
    });
    if (!isCurrent()) return false;
    if (!snapshot || isStale()) continue;
    if (reason === 'overflow' && !overflow.hasSnapshotRoom) return false;
    onRefresh(reason);
    delivery.deliverSnapshot(snapshot);
    return true;
  }
}
