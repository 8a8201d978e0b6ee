import type { ExecutionResult } from 'graphql';
import type { Continuity } from '../feed/version-filter.ts';

/** What the client is told beside the GraphQL result, in `extensions`. */
export interface FrameFacts {
  /** Come back with it, and what follows this message follows. */
  readonly cursor: string;
  /** Whether this is the state at the beginning or one change after it. */
  readonly kind: 'snapshot' | 'change';
  readonly key: string;
  readonly version: number;
  /** The CloudEvents id of the change: the same for every subscriber and webhook. Absent for a snapshot. */
  readonly id?: string;
}

/** One message to subscribers, written to JSON once and shared by all of them. */
export interface Frame extends FrameFacts {
  /** The hub's sequence number of the change; 0 for a snapshot. */
  readonly seq: number;
  /** How its change joins the one before it. */
  readonly continuity: Continuity;
  /** True for a change that nobody here asked for: it only shows that one before it is missing. */
  readonly hidden: boolean;
  /** The GraphQL result with its extensions, UTF-8 JSON. */
  readonly json: Buffer;
}

/** The same message with another cursor: for one subscriber among those who share it. */
export function withCursor(frame: Frame, cursor: string): Frame {
  const known = Buffer.from(`"cursor":"${frame.cursor}"`);
  const at = frame.json.lastIndexOf(known);
  const [before, after] = [frame.json.subarray(0, at), frame.json.subarray(at + known.length)];
  return { ...frame, cursor, json: Buffer.concat([before, Buffer.from(`"cursor":"${cursor}"`), after]) };
}

/** Writes the one JSON that WebSocket, SSE and webhooks send. */
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
