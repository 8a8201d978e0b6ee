import type { OverflowPolicy } from '@tidegate/bff';
import type { Frame } from '../../live/group/frame.ts';

/** A subscription's way into a connection's queue, as far as leaving out is concerned. */
export interface Droppable {
  readonly policy: OverflowPolicy;
  /** Of the policy `snapshot`: told how many messages were left out; it then owes a fresh snapshot. */
  onDrop?: ((dropped: number) => void) | undefined;
}

/** A message that waits in a connection's queue. */
export interface WaitingMessage {
  /** The subscription it belongs to; absent for messages of the protocol, which are never left out. */
  readonly entrance?: Droppable | undefined;
  /** Absent for what is said about the subscription: where it stands. */
  readonly frame: Frame | undefined;
  /** How many messages before it were left out, so far. */
  readonly dropped: number;
}

export interface ThinnedOut<Message extends WaitingMessage> {
  readonly kept: Message[];
  /** How many messages each subscription that goes on from a fresh snapshot has to tell of with it. */
  readonly owed: ReadonlyMap<Droppable, number>;
}

/**
 * Of each key of a `latest-per-key` subscription only the newest change stays, of a `snapshot` subscription none. The
 * next message of the subscription after a gap knows how many were left out there, those included that were left out
 * before: whoever breaks off after any message was told of exactly what its cursor skips. For the same reason a
 * position within a gap is left out.
 */
export function thinOut<Message extends WaitingMessage>(waiting: readonly Message[]): ThinnedOut<Message> {
  const superseded = supersededOf(waiting);
  const gaps = new Map<Droppable, number>();
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
  return { kept, owed: gaps };
}

/**
 * What the newest of its kind stands for. A snapshot is no change and stays, so that a client that reads slowly gets
 * on by one; but of a `snapshot` subscription one is enough.
 */
function supersededOf<Message extends WaitingMessage>(waiting: readonly Message[]): Set<Message> {
  const newest = new Map<Droppable, Set<string>>();
  const superseded = new Set<Message>();
  for (const each of waiting.toReversed()) {
    const { entrance, frame } = each;
    const name = entrance && frame && nameOf(entrance, frame);
    if (!name) continue;
    const names = newest.get(entrance) ?? new Set();
    if (names.has(name) || isOwed(entrance, frame)) superseded.add(each);
    newest.set(entrance, names.add(name));
  }
  return superseded;
}

/** Of messages of the same name the newest suffices; undefined for one that is not left out. */
function nameOf({ policy, onDrop }: Droppable, { kind, key }: Frame): string | undefined {
  if (policy === 'latest-per-key') return kind === 'change' ? key : undefined;
  return policy === 'snapshot' && onDrop ? kind : undefined;
}

/** A fresh snapshot will stand for it. */
function isOwed({ policy }: Droppable, { kind }: Frame): boolean {
  return policy === 'snapshot' && kind === 'change';
}

const EXTENSIONS = Buffer.from('"extensions":{');

/** The frame's JSON with `extensions.dropped`. */
export function tellDropped({ json }: Frame, dropped: number): Buffer {
  const at = json.lastIndexOf(EXTENSIONS) + EXTENSIONS.length;
  return Buffer.concat([json.subarray(0, at), Buffer.from(`"dropped":${dropped},`), json.subarray(at)]);
}
