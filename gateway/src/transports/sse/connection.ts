import type { ServerResponse } from 'node:http';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import type { Heartbeats } from '../heartbeats.ts';
import type { Flushable, FlushScheduler } from '../outbound/flush-scheduler.ts';
import { Waiters } from '../outbound/waiters.ts';
import { WaitingMessages, type Entrance } from '../outbound/waiting-messages.ts';
import { HEARTBEAT } from './encoding.ts';

/** One subscription's way into its stream's queue. */
export interface StreamEntrance extends Entrance {
  /** Frames as events. */
  encode(batch: FrameBatch): Buffer;
}

export interface SseStreamOptions {
  readonly metrics: LiveMetrics;
  readonly scheduler: FlushScheduler;
  /** What may wait here; while the socket is full nothing is handed to it. One message alone may be larger. */
  readonly maxQueuedBytes: number;
  /** One for all connections of the process. */
  readonly heartbeats: Heartbeats;
  /** Called once, when nothing more can be sent, whichever side ended it. */
  readonly onEnd: () => void;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Proxies hold events back, compress or store them unless told not to.
  'cache-control': 'private, no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  connection: 'keep-alive',
};

/** How long an EventSource waits before it comes back, drawn for each so that they do not come back as a herd. */
const RETRY_MS = { least: 1_000, spread: 4_000 };
/** How long a client may take to read the rest of a stream that is complete. */
const LAST_WORD_MS = 10_000;
/** The longest a Node timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One event stream and its outbound queue: bounded in bytes, everything that queued up until the next flush or
 * behind a full socket goes out in one write. At the bound what waits is thinned out as its field says, and a client
 * for which that does not help is cut off.
 */
export class SseStream implements Flushable {
  readonly #options: SseStreamOptions;
  #response: ServerResponse | undefined;
  readonly #waiting = new WaitingMessages<StreamEntrance>();
  #scheduled = false;
  readonly #awaitingRoom = new Waiters();
  readonly #awaitingDrain = new Waiters();
  #stopHeartbeats: (() => void) | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #phase: 'open' | 'completing' | 'leaving' | 'ended' = 'open';

  constructor(options: SseStreamOptions) {
    this.#options = options;
  }

  get attached(): boolean {
    return this.#response !== undefined;
  }

  /** Begins the answer: headers and a first comment at once, then what already waits. */
  attach(response: ServerResponse): void {
    if (this.#phase === 'ended') return void response.destroy();
    this.#response = response;
    this.#options.metrics.connections.inc({ transport: 'sse' });
    response.writeHead(200, HEADERS);
    const retryMs = Math.round(RETRY_MS.least + Math.random() * RETRY_MS.spread);
    response.write(`:\nretry: ${retryMs}\n\n`);
    response.on('drain', () => {
      this.#awaitingDrain.tell();
      this.flush();
    });
    response.on('close', () => this.#end());
    this.#stopHeartbeats = this.#options.heartbeats.start(() => this.#beat());
    this.#awaitingDrain.tell();
    this.#schedule();
  }

  /** Queues a subscription's frames. Never throws, never blocks. */
  deliver(entrance: StreamEntrance, batch: FrameBatch, dropped = 0): void {
    if (this.#phase !== 'open') return;
    const waitedBytes = this.#waiting.bytes;
    this.#waiting.frames(entrance, batch, dropped);
    // A fresh snapshot, asked for once the socket took more, is written at once: if it is larger than the bound, what
    // comes next would have it dropped and asked for again, for ever.
    if (dropped > 0) return this.flush();
    this.#pushed(waitedBytes);
  }

  /** Queues any other message, in order with the frames. */
  write(...pieces: readonly Buffer[]): void {
    if (this.#phase !== 'open') return;
    const waitedBytes = this.#waiting.bytes;
    for (const piece of pieces) this.#waiting.message(piece);
    this.#pushed(waitedBytes);
  }

  /** Queues what says where a subscription stands, in order with its frames. */
  position(entrance: StreamEntrance, piece: Buffer): void {
    if (this.#phase !== 'open') return;
    this.#waiting.position(entrance, piece);
    // Small and rare: not what a connection is given up for, least of all behind one message larger than the bound.
    this.#schedule();
  }

  /** Resolves when less than half of the bound waits, or all is over; undefined when that is so now. */
  ready(): Promise<void> | undefined {
    if (this.#phase !== 'open' || this.#waiting.bytes <= this.#options.maxQueuedBytes / 2) return undefined;
    return this.#awaitingRoom.wait();
  }

  /** Resolves when the client has read so far that the socket takes more; undefined when it does now, or all is over. */
  drained(): Promise<void> | undefined {
    if (this.#phase !== 'open' || (this.#response && !this.#response.writableNeedDrain)) return undefined;
    return this.#awaitingDrain.wait();
  }

  /** Nothing follows what is queued; the stream ends when that is out. */
  complete(): void {
    if (this.#phase !== 'open') return;
    this.expireAt(Date.now() + LAST_WORD_MS);
    this.#phase = 'completing';
    this.#schedule();
  }

  /** Cuts it once everything that is queued has been written, or the client has taken too long to read that. */
  leave(): void {
    if (this.#phase !== 'open') return;
    if (!this.#response) return this.cut();
    this.expireAt(Date.now() + LAST_WORD_MS);
    this.#waiting.message(HEARTBEAT);
    this.#phase = 'leaving';
    this.#schedule();
  }

  /** Ends it at once, unsaid: an EventSource comes back by itself, with its Last-Event-ID. */
  cut(): void {
    this.#end();
    this.#response?.destroy();
  }

  /** Cuts it at this time, in milliseconds since the epoch, in place of the time said before; `Infinity`: never. */
  expireAt(atMs: number): void {
    if (this.#phase !== 'open') return;
    clearTimeout(this.#expiry);
    if (atMs === Infinity) return;
    const waitMs = Math.max(0, atMs - Date.now());
    this.#expiry = setTimeout(
      () => (waitMs > MAX_TIMER_MS ? this.expireAt(atMs) : this.cut()),
      Math.min(waitMs, MAX_TIMER_MS),
    );
  }

  /** Writes everything at once, if the socket takes it. */
  flush(): void {
    this.#scheduled = false;
    const response = this.#response;
    if (!response || response.destroyed || response.writableNeedDrain || this.#phase === 'ended') return;
    if (!this.#waiting.empty) {
      const pieces = this.#waiting
        .take()
        .map((each) => ('batch' in each ? each.entrance.encode(each.batch) : each.payload));
      // Called back when the kernel has it: until then a cut would take it along.
      const written = this.#phase === 'leaving' ? () => this.cut() : undefined;
      response.write(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), written);
      this.#awaitingRoom.tell();
    }
    if (this.#phase === 'completing' && !response.writableEnded) response.end();
  }

  #pushed(waitedBytes: number): void {
    // The bound is for what waits before it: see the outbound queue of a WebSocket.
    if (waitedBytes > this.#options.maxQueuedBytes) {
      if (this.#response && !this.#response.writableNeedDrain) this.flush();
      else this.#shrink();
    }
    this.#schedule();
  }

  #shrink(): void {
    const { maxQueuedBytes, metrics } = this.#options;
    this.#waiting.thinOut();
    // Half: else it would be thinned out again at every message.
    if (this.#waiting.bytes <= maxQueuedBytes / 2) return;
    metrics.slowConsumers.inc({ transport: 'sse' });
    // Cut off rather than told: the words would only wait behind what the client does not read.
    this.cut();
  }

  #beat(): void {
    // Behind a full socket it would prove nothing and only wait.
    if (this.#waiting.empty && !this.#response?.writableNeedDrain) this.write(HEARTBEAT);
  }

  #schedule(): void {
    if (this.#scheduled || !this.#response || this.#phase === 'ended') return;
    this.#scheduled = true;
    this.#options.scheduler.add(this);
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#stopHeartbeats?.();
    clearTimeout(this.#expiry);
    this.#waiting.take();
    this.#awaitingDrain.tell();
    this.#awaitingRoom.tell();
    if (this.#response) this.#options.metrics.connections.dec({ transport: 'sse' });
    this.#options.onEnd();
  }
}
