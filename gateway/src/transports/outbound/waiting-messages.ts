import type { Frame } from '../../live/group/frame.ts';
import { batchOf, FrameBatch } from '../../live/group/frame-batch.ts';
import { thinOut, withDropped, type Source } from './thin-out.ts';

/** One subscription as its connection's outbound queue sees it. */
export interface OutboundSource extends Source {
  /** Bytes that the transport adds to the JSON of each frame; an estimate is enough. */
  readonly bytesPerFrame: number;
}

/** Frames of one subscription. */
export interface WaitingFrames<From extends OutboundSource> {
  readonly source: From;
  readonly batch: FrameBatch;
  /** Set when messages before this one were dropped: the batch then is one frame that reports their number. */
  readonly gap: { readonly original: Frame; readonly dropped: number } | undefined;
}

/** An encoded message of the protocol, or the encoded cursor of a subscription. */
export interface WaitingBytes<From extends OutboundSource> {
  /** The subscription of a cursor; undefined for messages of the protocol, which are never dropped. */
  readonly source?: From | undefined;
  /** Discards this message of the protocol together with its other messages; undefined: it is never discarded. */
  readonly owner?: object | undefined;
  readonly payload: Buffer;
}

export type Waiting<From extends OutboundSource> = WaitingFrames<From> | WaitingBytes<From>;

/** Messages that wait for one connection, in their order, with their size on the wire. */
export class WaitingMessages<From extends OutboundSource> {
  /** The oldest message. Most connections have no other, and an array would be garbage for each. */
  #first: Waiting<From> | undefined;
  /** The messages after the first. */
  #more: Waiting<From>[] | undefined;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#first === undefined;
  }

  /** @param dropped number of messages that were dropped before the first frame. Default 0. */
  addFrames(source: From, batch: FrameBatch, dropped = 0): void {
    if (dropped > 0) {
      const [first, ...rest] = batch.frames;
      this.#addAfterGap(source, first, dropped);
      const following = batchOf(rest);
      if (following) this.addFrames(source, following);
      return;
    }
    this.#bytes += bytesOfFrames(source, batch);
    const last = this.#more?.at(-1) ?? this.#first;
    // Batches that wait for many connections alike stay one object for all of them.
    const joined =
      last && 'batch' in last && last.source === source && !last.gap ? last.batch.join(batch) : undefined;
    if (joined) this.#replaceLast({ source, batch: joined, gap: undefined });
    else this.#push({ source, batch, gap: undefined });
  }

  addMessage(payload: Buffer, owner?: object): void {
    this.#bytes += payload.length;
    this.#push({ payload, owner });
  }

  /** Adds the cursor of a subscription, which is dropped together with the messages that it would skip. */
  addPosition(source: From, payload: Buffer): void {
    this.#bytes += payload.length;
    this.#push({ source, payload });
  }

  /** Removes and returns all messages. */
  take(): Waiting<From>[] {
    const [first, more] = [this.#first, this.#more];
    this.#first = undefined;
    this.#more = undefined;
    this.#bytes = 0;
    if (first === undefined) return [];
    return more ? [first, ...more] : [first];
  }

  /** Removes the messages of a subscription, or those that have this owner. */
  discard(owner: object): void {
    for (const each of this.take()) {
      if (each.source === owner || ('owner' in each && each.owner === owner)) continue;
      this.#push(each);
      this.#bytes += 'payload' in each ? each.payload.length : bytesOfFrames(each.source, each.batch);
    }
  }

  /** Drops messages as the overflow policies allow, and tells each subscription that needs a fresh snapshot. */
  thinOut(): void {
    const { kept, missing } = thinOut<Single<From>>(this.take().flatMap((each) => singles(each)));
    for (const each of kept) {
      if (!('payload' in each)) this.addFrames(each.source, new FrameBatch([each.frame]), each.dropped);
      else if (each.source) this.addPosition(each.source, each.payload);
      else this.addMessage(each.payload, each.owner);
    }
    for (const [source, dropped] of missing) source.onDrop?.(dropped);
  }

  #addAfterGap(source: From, original: Frame, dropped: number): void {
    const batch = new FrameBatch([{ ...original, json: withDropped(original, dropped) }]);
    this.#bytes += bytesOfFrames(source, batch);
    this.#push({ source, batch, gap: { original, dropped } });
  }

  #push(message: Waiting<From>): void {
    if (this.#first === undefined) this.#first = message;
    else if (this.#more) this.#more.push(message);
    else this.#more = [message];
  }

  #replaceLast(message: Waiting<From>): void {
    if (this.#more) this.#more[this.#more.length - 1] = message;
    else this.#first = message;
  }
}

function bytesOfFrames({ bytesPerFrame }: OutboundSource, { frames, jsonBytes }: FrameBatch): number {
  return jsonBytes + frames.length * bytesPerFrame;
}

/** One message, as `thinOut` takes it. */
type Single<From extends OutboundSource> =
  | { readonly source: From; readonly frame: Frame; readonly dropped: number }
  | (WaitingBytes<From> & { readonly frame: undefined; readonly dropped: 0 });

function singles<From extends OutboundSource>(waiting: Waiting<From>): Single<From>[] {
  if ('payload' in waiting) return [{ ...waiting, frame: undefined, dropped: 0 }];
  const { source, batch, gap } = waiting;
  if (gap) return [{ source, frame: gap.original, dropped: gap.dropped }];
  return batch.frames.map((frame) => ({ source, frame, dropped: 0 }));
}
