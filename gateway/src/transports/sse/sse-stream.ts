import type { ServerResponse } from 'node:http';
import type { LiveMetrics } from '../../live/metrics.ts';
import { HEARTBEAT } from './event-encoding.ts';

export interface SseStreamOptions {
  readonly metrics: LiveMetrics;
  /** What may wait for the client, in this queue and in the socket's. One message alone may be larger. */
  readonly maxQueuedBytes: number;
  readonly heartbeatMs: number;
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
 * One event stream and its outbound queue: bounded in bytes, everything that queued up in one turn of the event loop
 * or behind a full socket goes out in one write, and a client that does not read is cut off.
 */
export class SseStream {
  readonly #options: SseStreamOptions;
  #response: ServerResponse | undefined;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #flush: NodeJS.Immediate | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #phase: 'open' | 'completing' | 'ended' = 'open';

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
    response.on('drain', () => this.#flushNow());
    response.on('close', () => this.#end());
    this.#heartbeat = setInterval(() => this.#beat(), this.#options.heartbeatMs);
    this.#flushSoon();
  }

  /** Queues one message, in pieces that may be shared with other streams. Never throws, never blocks. */
  write(...pieces: readonly Buffer[]): void {
    if (this.#phase !== 'open') return;
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const waiting = this.#queuedBytes + (this.#response?.writableLength ?? 0);
    if (waiting > 0 && waiting + size > this.#options.maxQueuedBytes) {
      this.#options.metrics.slowConsumers.inc({ transport: 'sse' });
      // Cut off rather than told: the words would only wait behind what the client does not read.
      return this.cut();
    }
    this.#queue.push(...pieces);
    this.#queuedBytes += size;
    this.#flushSoon();
  }

  /** Nothing follows what is queued; the stream ends when that is out. */
  complete(): void {
    if (this.#phase !== 'open') return;
    this.expireAt(Date.now() + LAST_WORD_MS);
    this.#phase = 'completing';
    this.#flushSoon();
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
    const waitMs = atMs - Date.now();
    this.#expiry = setTimeout(
      () => (waitMs > MAX_TIMER_MS ? this.expireAt(atMs) : this.cut()),
      Math.min(waitMs, MAX_TIMER_MS),
    );
  }

  #beat(): void {
    // Behind a full socket it would prove nothing and only wait.
    if (this.#queue.length === 0 && !this.#response?.writableNeedDrain) this.write(HEARTBEAT);
  }

  #flushSoon(): void {
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      this.#flushNow();
    });
  }

  #flushNow(): void {
    const response = this.#response;
    if (!response || response.destroyed || response.writableNeedDrain || this.#phase === 'ended') return;
    if (this.#queue.length > 0) {
      const [only] = this.#queue;
      const chunk = this.#queue.length === 1 ? only! : Buffer.concat(this.#queue, this.#queuedBytes);
      this.#queue = [];
      this.#queuedBytes = 0;
      response.write(chunk);
    }
    if (this.#phase === 'completing' && !response.writableEnded) response.end();
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearInterval(this.#heartbeat);
    clearTimeout(this.#expiry);
    clearImmediate(this.#flush);
    this.#queue = [];
    this.#queuedBytes = 0;
    if (this.#response) this.#options.metrics.connections.dec({ transport: 'sse' });
    this.#options.onEnd();
  }
}
