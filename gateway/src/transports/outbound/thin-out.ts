import type { OverflowPolicy } from '@tidegate/bff';
import type { Frame } from '../../live/group/frame.ts';

/** A subscription, as far as dropping its messages is concerned. */
export interface Source {
  readonly policy: OverflowPolicy;
  /** Set under the policy `snapshot`. Receives the number of dropped messages; a fresh snapshot must follow. */
  onDrop?: ((dropped: number) => void) | undefined;
}

/** A message that waits in a connection's queue. */
export interface WaitingMessage {
  /** The subscription it belongs to; undefined for messages of the protocol, which are never dropped. */
  readonly source?: Source | undefined;
  /** Undefined for the cursor of a subscription. */
  readonly frame: Frame | undefined;
  /** Number of messages that were dropped before it so far. */
  readonly dropped: number;
}

export interface ThinnedOut<Message extends WaitingMessage> {
  readonly kept: Message[];
  /** Number of messages dropped at the end of each subscription's queue, which no kept message reports. */
  readonly missing: ReadonlyMap<Source, number>;
}

/**
 * Drops waiting messages by the overflow policy of their subscription: `latest-per-key` keeps the newest change of
 * each key, `snapshot` keeps no change. The next message after a gap reports the number of messages dropped there,
 * earlier drops included: a client that disconnects after any message has been told exactly the number that its
 * cursor skips. Cursors within a gap are dropped for the same reason.
 */
export function thinOut<Message extends WaitingMessage>(waiting: readonly Message[]): ThinnedOut<Message> {
  const superseded = supersededOf(waiting);
  const gaps = new Map<Source, number>();
  const kept: Message[] = [];
  for (const each of waiting) {
    const { source } = each;
    const gap = (source && gaps.get(source)) ?? 0;
    if (source && superseded.has(each)) gaps.set(source, gap + 1 + each.dropped);
    else if (!source || gap === 0) kept.push(each);
    else if (each.frame) {
      gaps.delete(source);
      kept.push({ ...each, dropped: each.dropped + gap });
    }
  }
  return { kept, missing: gaps };
}

/**
 * Returns the messages that a newer message or a fresh snapshot replaces. A snapshot is no change and is kept, so
 * that a slow client makes progress by one; of several snapshots of a `snapshot` subscription the newest is kept.
 */
function supersededOf<Message extends WaitingMessage>(waiting: readonly Message[]): Set<Message> {
  const seen = new Map<Source, Set<string>>();
  const superseded = new Set<Message>();
  for (const each of waiting.toReversed()) {
    const { source, frame } = each;
    const identity = source && frame && identityOf(source, frame);
    if (!identity) continue;
    const newer = seen.get(source) ?? new Set();
    if (newer.has(identity) || isReplacedBySnapshot(source, frame)) superseded.add(each);
    seen.set(source, newer.add(identity));
  }
  return superseded;
}

/** Messages of equal identity supersede each other; undefined for a message that is never dropped. */
function identityOf({ policy, onDrop }: Source, { kind, key }: Frame): string | undefined {
  if (policy === 'latest-per-key') return kind === 'change' ? key : undefined;
  return policy === 'snapshot' && onDrop ? kind : undefined;
}

function isReplacedBySnapshot({ policy }: Source, { kind }: Frame): boolean {
  return policy === 'snapshot' && kind === 'change';
}

const EXTENSIONS = Buffer.from('"extensions":{');

/** Returns the frame's JSON with `extensions.dropped`. */
export function withDropped({ json }: Frame, dropped: number): Buffer {
  const at = json.lastIndexOf(EXTENSIONS) + EXTENSIONS.length;
  return Buffer.concat([json.subarray(0, at), Buffer.from(`"dropped":${dropped},`), json.subarray(at)]);
}
