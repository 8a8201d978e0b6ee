import type { OverflowPolicy } from '@tidegate/bff';
import type { Frame } from '../../live/frame.ts';

/** A message that waits in a connection's queue. */
export interface WaitingMessage {
  /** The subscription it belongs to; absent for messages of the protocol, which are never left out. */
  readonly entrance?: { readonly policy: OverflowPolicy } | undefined;
  readonly frame: Frame | undefined;
  /** How many messages before it were left out, so far. */
  readonly dropped: number;
}

/**
 * Of each key of a `latest-per-key` subscription only the newest change stays. The first message of the subscription
 * that stays knows how many were left out, those included that were left out before.
 */
export function keepLatestPerKey<Message extends WaitingMessage>(waiting: readonly Message[]): Message[] {
  const newest = new Map<object, Set<string>>();
  const dropped = new Map<object, number>();
  const kept: Message[] = [];
  for (const each of waiting.toReversed()) {
    if (!each.entrance || !isSuperseded(each, newest)) kept.push(each);
    else dropped.set(each.entrance, (dropped.get(each.entrance) ?? 0) + 1 + each.dropped);
  }
  return kept.reverse().map((each) => {
    const count = each.entrance && dropped.get(each.entrance);
    if (!each.entrance || count === undefined) return each;
    dropped.delete(each.entrance);
    return { ...each, dropped: each.dropped + count };
  });
}

const EXTENSIONS = Buffer.from('"extensions":{');

/** The frame's JSON with `extensions.dropped`. */
export function tellDropped({ json }: Frame, dropped: number): Buffer {
  const at = json.lastIndexOf(EXTENSIONS) + EXTENSIONS.length;
  return Buffer.concat([json.subarray(0, at), Buffer.from(`"dropped":${dropped},`), json.subarray(at)]);
}

function isSuperseded({ entrance, frame }: WaitingMessage, newest: Map<object, Set<string>>): boolean {
  if (!entrance || !frame || entrance.policy !== 'latest-per-key') return false;
  const keys = newest.get(entrance);
  if (keys?.has(frame.key)) return true;
  if (keys) keys.add(frame.key);
  else newest.set(entrance, new Set([frame.key]));
  return false;
}
