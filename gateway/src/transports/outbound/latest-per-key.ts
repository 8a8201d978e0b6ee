import type { Frame } from '../../live/frame.ts';
import type { Droppable } from './drop-for-snapshot.ts';

/** A message that waits in a connection's queue. */
export interface WaitingMessage {
  /** The subscription it belongs to; absent for messages of the protocol, which are never left out. */
  readonly entrance?: Droppable | undefined;
  /** Absent for what is said about the subscription: where it stands. */
  readonly frame: Frame | undefined;
  /** How many messages before it were left out, so far. */
  readonly dropped: number;
}

/**
 * Of each key of a `latest-per-key` subscription only the newest change stays. The next message of the subscription
 * after a gap knows how many were left out there, those included that were left out before: whoever breaks off after
 * any message was told of exactly what its cursor skips. For the same reason a position within a gap is left out.
 */
export function keepLatestPerKey<Message extends WaitingMessage>(waiting: readonly Message[]): Message[] {
  const superseded = supersededOf(waiting);
  const gaps = new Map<object, number>();
  const kept: Message[] = [];
  for (const each of waiting) {
    const { entrance } = each;
    const gap = (entrance && gaps.get(entrance)) ?? 0;
    if (entrance && superseded.has(each)) gaps.set(entrance, gap + 1 + each.dropped);
    else if (!entrance || gap === 0) kept.push(each);
    else if (each.frame) {
      gaps.delete(entrance);
      kept.push({ ...each, dropped: each.dropped + gap });
    }
  }
  return kept;
}

/** Changes that have a newer one of the same key and subscription behind them. A snapshot is not a change: it stays. */
function supersededOf<Message extends WaitingMessage>(waiting: readonly Message[]): Set<Message> {
  const newest = new Map<object, Set<string>>();
  const superseded = new Set<Message>();
  for (const each of waiting.toReversed()) {
    const { entrance, frame } = each;
    if (!entrance || frame?.kind !== 'change' || entrance.policy !== 'latest-per-key') continue;
    const keys = newest.get(entrance) ?? new Set();
    if (keys.has(frame.key)) superseded.add(each);
    newest.set(entrance, keys.add(frame.key));
  }
  return superseded;
}

const EXTENSIONS = Buffer.from('"extensions":{');

/** The frame's JSON with `extensions.dropped`. */
export function tellDropped({ json }: Frame, dropped: number): Buffer {
  const at = json.lastIndexOf(EXTENSIONS) + EXTENSIONS.length;
  return Buffer.concat([json.subarray(0, at), Buffer.from(`"dropped":${dropped},`), json.subarray(at)]);
}
