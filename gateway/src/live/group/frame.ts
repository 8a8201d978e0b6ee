import type { ExecutionResult } from 'graphql';
import type { Continuity } from '../feed/version-filter.ts';

/** Facts that the client receives beside the GraphQL result, in `extensions`. */
export interface FrameFacts {
  /** Resumes the subscription after this message. */
  readonly cursor: string;
  /** State of a key, or one change of it. */
  readonly kind: 'snapshot' | 'change';
  readonly key: string;
  readonly version: number;
  /** CloudEvents id of the change; identical for every subscriber and webhook. Absent for a snapshot. */
  readonly id?: string;
}

/** One message to subscribers, serialised once and shared by all of them. */
export interface Frame extends FrameFacts {
  /** Sequence number of the change in its feed; 0 for a snapshot. */
  readonly seq: number;
  readonly continuity: Continuity;
  /** True for a change that the field's filter rejects. It is never delivered; it only reveals a missing version. */
  readonly hidden: boolean;
  /** GraphQL result with its extensions, as UTF-8 JSON. */
  readonly json: Buffer;
}

/** Copies a shared frame with another cursor, for a single subscriber. */
export function withCursor(frame: Frame, cursor: string): Frame {
  const known = Buffer.from(`"cursor":"${frame.cursor}"`);
  const at = frame.json.lastIndexOf(known);
  const [before, after] = [frame.json.subarray(0, at), frame.json.subarray(at + known.length)];
  return { ...frame, cursor, json: Buffer.concat([before, Buffer.from(`"cursor":"${cursor}"`), after]) };
}

/** Serialises a result for WebSocket, SSE and webhooks alike. */
export function encodeFrame(
  result: ExecutionResult,
  facts: FrameFacts,
  seq: number,
  { continuity = 'next', hidden = false }: Partial<Pick<Frame, 'continuity' | 'hidden'>> = {},
): Frame {
  const { cursor, kind, key, version, id } = facts;
  const extensions = { ...result.extensions, cursor, kind, key, version, ...(id !== undefined && { id }) };
  const json = Buffer.from(JSON.stringify({ ...result, extensions }));
  return { ...facts, seq, continuity, hidden, json };
}
