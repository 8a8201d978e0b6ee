import type { Frame } from '../../live/group/frame.ts';
import { batchOf, FrameBatch } from '../../live/group/frame-batch.ts';
import { tellDropped, thinOut, type Droppable } from './thin-out.ts';

/** One subscription's way into its connection's queue. */
export interface Entrance extends Droppable {
  /** What its transport puts around each frame's JSON. */
  readonly bytesPerFrame: number;
}

/** Frames of one subscription. */
export interface WaitingFrames<From extends Entrance> {
  readonly entrance: From;
  readonly batch: FrameBatch;
  /** The frame that says so, as it was, when messages before it were left out. */
  readonly left: { readonly original: Frame; readonly dropped: number } | undefined;
}

/** A message of the protocol, or where a subscription stands. */
export interface WaitingBytes<From extends Entrance> {
  /** The subscription whose position it is; absent for what is never left out. */
  readonly entrance?: From | undefined;
  readonly payload: Buffer;
}

export type Waiting<From extends Entrance> = WaitingFrames<From> | WaitingBytes<From>;

/** What waits for one connection, in its order, and how many bytes that is on the wire. */
export class WaitingMessages<From extends Entrance> {
  #waiting: Waiting<From>[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  /** @param dropped how many messages before the first were left out. */
  frames(entrance: From, batch: FrameBatch, dropped = 0): void {
    if (dropped > 0) {
      const [first, ...rest] = batch.frames;
      this.#left(entrance, first, dropped);
      const following = batchOf(rest);
      if (following) this.frames(entrance, following);
      return;
    }
    this.#bytes += bytesOfFrames(entrance, batch);
    const last = this.#waiting.at(-1);
    // What waits for many connections alike stays one object for all of them.
    const joined =
      last && 'batch' in last && last.entrance === entrance && !last.left
        ? last.batch.join(batch)
        : undefined;
    if (joined) this.#waiting[this.#waiting.length - 1] = { entrance, batch: joined, left: undefined };
    else this.#waiting.push({ entrance, batch, left: undefined });
  }

  message(payload: Buffer): void {
    this.#bytes += payload.length;
    this.#waiting.push({ payload });
  }

  /** Where a subscription stands: left out with what it would skip. */
  position(entrance: From, payload: Buffer): void {
    this.#bytes += payload.length;
    this.#waiting.push({ entrance, payload });
  }

  /** Everything; nothing waits any more. */
  take(): Waiting<From>[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return waiting;
  }

  /** Leaves out what the policies of the subscriptions allow; those that owe a fresh snapshot for it are told. */
  thinOut(): void {
    const { kept, owed } = thinOut<Single<From>>(this.take().flatMap((each) => singly(each)));
    for (const each of kept) {
      if ('payload' in each) this.#bytesAgain(each);
      else this.frames(each.entrance, new FrameBatch([each.frame]), each.dropped);
    }
    for (const [entrance, dropped] of owed) entrance.onDrop?.(dropped);
  }

  #bytesAgain(bytes: WaitingBytes<From>): void {
    if (bytes.entrance) this.position(bytes.entrance, bytes.payload);
    else this.message(bytes.payload);
  }

  #left(entrance: From, original: Frame, dropped: number): void {
    const batch = new FrameBatch([{ ...original, json: tellDropped(original, dropped) }]);
    this.#bytes += bytesOfFrames(entrance, batch);
    this.#waiting.push({ entrance, batch, left: { original, dropped } });
  }
}

function bytesOfFrames({ bytesPerFrame }: Entrance, { frames, jsonBytes }: FrameBatch): number {
  return jsonBytes + frames.length * bytesPerFrame;
}

type Single<From extends Entrance> =
  | { readonly entrance: From; readonly frame: Frame; readonly dropped: number }
  | (WaitingBytes<From> & { readonly frame: undefined; readonly dropped: 0 });

function singly<From extends Entrance>(waiting: Waiting<From>): Single<From>[] {
  if ('payload' in waiting) return [{ ...waiting, frame: undefined, dropped: 0 }];
  const { entrance, batch, left } = waiting;
  if (left) return [{ entrance, frame: left.original, dropped: left.dropped }];
  return batch.frames.map((frame) => ({ entrance, frame, dropped: 0 }));
}
