import { TidegateError } from '@tidegate/core';
import type { StreamFeed } from '../feed/stream-feed.ts';
import { FrameBatch } from '../group/frame-batch.ts';
import { encodeFrame } from '../group/frame.ts';
import type { LiveRequest } from '../live-request.ts';
import type { GroupCursors } from './group-cursors.ts';

/** Cursors and stream positions that a snapshot is read with. */
export interface SnapshotContext {
  readonly cursors: Pick<GroupCursors, 'relevant' | 'encode'>;
  readonly feed: Pick<StreamFeed, 'positions'>;
}

/**
 * Reads the current state as a message. Its cursor holds the positions from before the read, which the state
 * contains, and the state's version. Returns undefined when there is no state that the scope sees and the field's snapshot
 * is optional.
 *
 * @throws TidegateError NOT_FOUND when there is no state that the scope sees; otherwise the error of the field's read.
 */
export async function readSnapshot(
  { cursors, feed }: SnapshotContext,
  request: LiveRequest,
): Promise<FrameBatch | undefined> {
  const positions = cursors.relevant(feed.positions);
  const snapshot = await request.snapshot?.();
  const visible = snapshot !== undefined && request.scope.sees(snapshot.data);
  if (!visible && request.field.snapshotOptional) return undefined;
  if (!visible) throw notFound();
  const { key, version, data } = snapshot;
  const result = await request.render(data, undefined);
  const facts = { cursor: cursors.encode(positions, version), kind: 'snapshot', key, version } as const;
  return new FrameBatch([encodeFrame(result, facts, 0)]);
}

/** The error for a state that does not exist, or that the scope does not see: the client cannot tell which. */
export function notFound(): TidegateError {
  return new TidegateError('NOT_FOUND', 'There is nothing of this id that you may watch.');
}
