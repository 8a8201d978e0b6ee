import type { Socket } from 'node:net';
import type { OverflowPolicy } from '@tidegate/bff';
import type { Frame } from '../../live/frame.ts';
import type { FlushScheduler, Flushable } from '../outbound/flush-scheduler.ts';
import { keepLatestPerKey, tellDropped, type WaitingMessage } from '../outbound/latest-per-key.ts';
import { headerBytes, writeHeader } from './text-frame.ts';

/** One subscription's way into its connection's queue. */
export interface QueueEntrance {
  /** `{"id":"…","type":"next","payload":` of this subscription. */
  readonly head: Buffer;
  readonly policy: OverflowPolicy;
}

/** A message that waits: a frame that others share behind a head of its own, or a protocol message. */
interface Waiting extends WaitingMessage {
  readonly entrance: QueueEntrance | undefined;
  readonly payload: Buffer;
  readonly bytes: number;
}

const CLOSING_BRACE = 0x7d;
const NO_HEAD = Buffer.alloc(0);

/**
 * All that one WebSocket still has to be sent, bounded in bytes. Everything queued leaves with one write; while the
 * socket is full nothing is handed to it, so that what waits can still be thinned out by its field's policy.
 */
export class OutboundQueue implements Flushable {
  readonly #socket: Socket;
  readonly #maxBytes: number;
  readonly #scheduler: FlushScheduler;
  readonly #onOverflow: () => void;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #scheduled = false;
  #closed = false;
  #awaitingRoom: (() => void)[] = [];

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
    options.socket.on('drain', () => this.#schedule());
  }

  /** Bytes that wait here, not counting what the socket has taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Queues a subscription's frame. */
  next(entrance: QueueEntrance, frame: Frame): void {
    const bytes = entrance.head.length + frame.json.length + 1;
    this.#push({ entrance, frame, payload: frame.json, bytes, dropped: 0 });
  }

  /** Resolves when less than half of the bound waits; undefined when that is so now. */
  ready(): Promise<void> | undefined {
    if (this.#closed || this.#bytes <= this.#maxBytes / 2) return undefined;
    return new Promise((resolve) => this.#awaitingRoom.push(resolve));
  }

  /** Queues a message of the protocol, in order with the frames. */
  message(text: string): void {
    const payload = Buffer.from(text);
    this.#push({ entrance: undefined, frame: undefined, payload, bytes: payload.length, dropped: 0 });
  }

  /** Nothing is taken any more; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellRoom();
  }

  /** Writes everything at once, if the socket takes it. */
  flush(): void {
    this.#scheduled = false;
    if (this.#waiting.length === 0 || !this.#socket.writable || this.#socket.writableNeedDrain) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#socket.write(encode(waiting));
    this.#tellRoom();
  }

  #tellRoom(): void {
    for (const resolve of this.#awaitingRoom.splice(0)) resolve();
  }

  #push(waiting: Waiting): void {
    if (this.#closed) return;
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes;
    // The bound is for what waits before it: a message larger than the room left would be met again and again by a
    // client that comes back with its cursor.
    if (this.#bytes - waiting.bytes > this.#maxBytes) this.#shrink();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#socket.writableNeedDrain) return;
    this.#scheduled = true;
    this.#scheduler.add(this);
  }

  /** Of each key of a `latest-per-key` subscription only the newest frame stays. */
  #shrink(): void {
    this.#waiting = keepLatestPerKey(this.#waiting).map(tellingDropped);
    this.#bytes = this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0);
    // Half: else it would be shrunk again at every message.
    if (this.#bytes <= this.#maxBytes / 2) return;
    this.close();
    this.#onOverflow();
  }
}

function tellingDropped(each: Waiting): Waiting {
  const { entrance, frame, dropped } = each;
  if (!entrance || !frame || dropped === 0) return each;
  const payload = tellDropped(frame, dropped);
  return { ...each, payload, bytes: entrance.head.length + payload.length + 1 };
}

/** The WebSocket frames of all messages in one buffer. */
function encode(waiting: readonly Waiting[]): Buffer {
  let total = 0;
  for (const { bytes } of waiting) total += headerBytes(bytes) + bytes;
  const buffer = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const { entrance, payload, bytes } of waiting) {
    offset = writeHeader(buffer, offset, bytes);
    const head = entrance?.head ?? NO_HEAD;
    buffer.set(head, offset);
    offset += head.length;
    buffer.set(payload, offset);
    offset += payload.length;
    if (entrance) buffer[offset++] = CLOSING_BRACE;
  }
  return buffer;
}
