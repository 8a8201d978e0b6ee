import type { Socket } from 'node:net';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Flushable, FlushScheduler } from '../outbound/flush-scheduler.ts';
import { Waiters } from '../outbound/waiters.ts';
import {
  WaitingMessages,
  type Entrance,
  type Waiting,
  type WaitingFrames,
} from '../outbound/waiting-messages.ts';
import { blockOf, type FrameBlock } from './frame-block.ts';
import { headerBytes, writeHeader } from './text-frame.ts';

/** One subscription's way into its connection's queue. */
export interface QueueEntrance extends Entrance {
  /** The client's id of this subscription, as JSON. */
  readonly id: string;
  /** `{"id":"…","type":"next","payload":` of this subscription. */
  readonly head: Buffer;
}

/** Positions in one ping: some 10 KB. */
const MAX_POSITIONS = 64;

/**
 * All that one WebSocket still has to be sent, bounded in bytes. Everything queued leaves with one write; while the
 * socket is full nothing is handed to it, so that what waits can still be thinned out by its field's policy.
 */
export class OutboundQueue implements Flushable {
  readonly #socket: Socket;
  readonly #scheduler: FlushScheduler;
  /** True when something waits, or the connection is closed: a message is not written past either. */
  #held = false;
  readonly #maxBytes: number;
  readonly #onOverflow: () => void;
  readonly #waiting = new WaitingMessages<QueueEntrance>();
  #scheduled = false;
  #closed = false;
  readonly #awaitingRoom = new Waiters();
  readonly #awaitingDrain = new Waiters();

  constructor(options: {
    /** The connection below the WebSocket: frames are written to it whole, between those of `ws`. */
    readonly socket: Socket;
    readonly maxBytes: number;
    readonly scheduler: FlushScheduler;
    /** The bound is reached and no policy helps: the connection has to go. */
    readonly onOverflow: () => void;
  }) {
    this.#socket = options.socket;
    this.#maxBytes = options.maxBytes;
    this.#scheduler = options.scheduler;
    this.#onOverflow = options.onOverflow;
    options.socket.on('drain', () => {
      this.#awaitingDrain.tell();
      this.#schedule();
    });
  }

  /** Bytes that wait here, not counting what the socket has taken. */
  get bytes(): number {
    return this.#waiting.bytes;
  }

  /** Takes a subscription's frames: written now when nothing waits and the process has time. */
  deliver(entrance: QueueEntrance, batch: FrameBatch, dropped = 0): void {
    if (!this.#held && dropped === 0 && this.#writable && this.#scheduler.hasTime()) {
      return this.#writeFrames(entrance, batch);
    }
    if (this.#closed) return;
    this.#held = true;
    const waitedBytes = this.#waiting.bytes;
    this.#waiting.frames(entrance, batch, dropped);
    // A fresh snapshot, asked for once the socket took more, is written at once: if it is larger than the bound, what
    // comes next would have it dropped and asked for again, for ever.
    if (dropped > 0) return this.flush();
    this.#pushed(waitedBytes);
  }

  /** Resolves when less than half of the bound waits; undefined when that is so now. */
  ready(): Promise<void> | undefined {
    if (this.#closed || this.#waiting.bytes <= this.#maxBytes / 2) return undefined;
    return this.#awaitingRoom.wait();
  }

  /** Resolves when the client has read so far that the socket takes more; undefined when it does now. */
  drained(): Promise<void> | undefined {
    if (this.#closed || !this.#socket.writableNeedDrain) return undefined;
    return this.#awaitingDrain.wait();
  }

  /** Queues a message of the protocol, in order with the frames. */
  message(text: string): void {
    if (this.#closed) return;
    this.#held = true;
    const waitedBytes = this.#waiting.bytes;
    this.#waiting.message(Buffer.from(text));
    this.#pushed(waitedBytes);
  }

  /** Queues where a subscription stands, in order with its frames. */
  position(entrance: QueueEntrance, cursor: string): void {
    if (this.#closed) return;
    this.#held = true;
    this.#waiting.position(entrance, Buffer.from(`${entrance.id}:"${cursor}"`));
    // Small and rare: not what a connection is given up for, least of all behind one message larger than the bound.
    this.#schedule();
  }

  /** Nothing is taken any more; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    this.#held = true;
    this.#waiting.take();
    this.#awaitingDrain.tell();
    this.#awaitingRoom.tell();
  }

  /** Writes everything at once, if the socket takes it. */
  flush(): void {
    this.#scheduled = false;
    if (this.#waiting.empty || !this.#writable) return;
    const waiting = this.#waiting.take();
    this.#held = false;
    const [first] = waiting;
    if (first && waiting.length === 1 && 'batch' in first) this.#writeFrames(first.entrance, first.batch);
    else this.#socket.write(encode(waiting));
    this.#awaitingRoom.tell();
  }

  get #writable(): boolean {
    return this.#socket.writable && !this.#socket.writableNeedDrain;
  }

  #writeFrames({ head }: QueueEntrance, batch: FrameBatch): void {
    const block = blockOf(batch, head.length);
    this.#socket.write(block.behind(head));
    // What the kernel did not take at once is still read from the block.
    if (this.#socket.writableLength > 0) block.lend();
  }

  #pushed(waitedBytes: number): void {
    // The bound is for what waits before it: a message larger than the room left would be met again and again by a
    // client that comes back with its cursor.
    if (waitedBytes > this.#maxBytes) {
      // Who reads loses nothing, however much comes at once.
      if (this.#writable) this.flush();
      else this.#shrink();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.empty || this.#socket.writableNeedDrain) return;
    this.#scheduled = true;
    this.#scheduler.add(this);
  }

  /** Leaves out what the policies of the subscriptions allow. */
  #shrink(): void {
    this.#waiting.thinOut();
    // Half: else it would be shrunk again at every message.
    if (this.#waiting.bytes <= this.#maxBytes / 2) return;
    this.close();
    this.#onOverflow();
  }
}

/** The WebSocket frames of all messages in one buffer. */
function encode(queued: readonly Waiting<QueueEntrance>[]): Buffer {
  const waiting = withPings(queued);
  const target = Buffer.allocUnsafe(waiting.reduce((sum, each) => sum + encodedBytes(each), 0));
  let offset = 0;
  for (const each of waiting) {
    if ('payload' in each) offset = writeHeader(target, offset, each.payload.length);
    const bytes = 'batch' in each ? framesOf(each).behind(each.entrance.head) : each.payload;
    target.set(bytes, offset);
    offset += bytes.length;
  }
  return target;
}

/**
 * Where subscriptions stand is said by a ping, whose payload a client that knows nothing of it ignores. It answers
 * each, so positions that follow each other leave as one.
 */
function withPings(waiting: readonly Waiting<QueueEntrance>[]): Waiting<QueueEntrance>[] {
  const messages: Waiting<QueueEntrance>[] = [];
  let positions: Buffer[] = [];
  const say = (): void => {
    if (positions.length > 0) messages.push({ payload: ping(positions) });
    positions = [];
  };
  for (const each of waiting) {
    const isPosition = 'payload' in each && each.entrance !== undefined;
    if (!isPosition || positions.length === MAX_POSITIONS) say();
    if (isPosition) positions.push(each.payload);
    else messages.push(each);
  }
  say();
  return messages;
}

function ping(positions: readonly Buffer[]): Buffer {
  return Buffer.from(`{"type":"ping","payload":{"tidegate":{"cursors":{${positions.join()}}}}}`);
}

function encodedBytes(each: Waiting<QueueEntrance>): number {
  if ('batch' in each) return framesOf(each).byteLength;
  return headerBytes(each.payload.length) + each.payload.length;
}

function framesOf({ entrance, batch }: WaitingFrames<QueueEntrance>): FrameBlock {
  return blockOf(batch, entrance.head.length);
}
