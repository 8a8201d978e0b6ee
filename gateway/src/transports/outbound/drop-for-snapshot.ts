import type { OverflowPolicy } from '@tidegate/bff';
import type { WaitingMessage } from './latest-per-key.ts';

/** A subscription's way into a connection's queue, as far as dropping is concerned. */
export interface Droppable {
  readonly policy: OverflowPolicy;
  /** Of the policy `snapshot`: told how many messages were dropped; it then owes a fresh snapshot. */
  onDrop?: (dropped: number) => void;
}

/**
 * Takes out all that waits of subscriptions that go on from a fresh snapshot: their messages, counted, and their
 * positions, which would vouch for what was dropped.
 */
export function dropForSnapshot<Message extends WaitingMessage>(
  waiting: readonly Message[],
): { readonly kept: Message[]; readonly dropped: ReadonlyMap<Droppable, number> } {
  const dropped = new Map<Droppable, number>();
  for (const { entrance, frame, ...each } of waiting) {
    if (frame && entrance && goesOnFromSnapshot(entrance))
      dropped.set(entrance, (dropped.get(entrance) ?? 0) + 1 + each.dropped);
  }
  return { kept: waiting.filter(({ entrance }) => !entrance || !dropped.has(entrance)), dropped };
}

function goesOnFromSnapshot({ policy, onDrop }: Droppable): boolean {
  return policy === 'snapshot' && onDrop !== undefined;
}
