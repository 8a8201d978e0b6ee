import type { ServerResponse } from 'node:http';
import { TidegateError, type ErrorCode } from '@tidegate/core';
import { ByteAccount } from '../../admission/byte-account.ts';
import { ConnectionHold } from '../../admission/connection-hold.ts';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import { drawAgeMs } from '../connection-age.ts';
import type { ConnectionOptions } from '../connection-options.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { Expiry } from '../expiry.ts';
import { OutboundQueue } from '../outbound/outbound-queue.ts';
import { StreamEncoder, type StreamFormat, type StreamSource } from './encoding.ts';
import { FINAL_FLUSH_TIMEOUT_MS } from './limits.ts';

export type StreamQueue = OutboundQueue<StreamSource, ServerResponse>;

/** Headers of every stream, next to those of its format. */
const HEADERS = {
  // Otherwise proxies buffer, compress or cache the stream.
  'cache-control': 'private, no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  connection: 'keep-alive',
};

/** Reasons for which a server ends a stream early. */
const EARLY_ENDS = {
  TOKEN_EXPIRED: 'The token has expired.',
  UNAUTHENTICATED: 'The token was revoked.',
  DRAINING: 'This server closes: connect again.',
} as const satisfies Partial<Record<ErrorCode, string>>;

const encoder = new StreamEncoder();

/**
 * One response stream from its admission to its end: its viewer, its outbound queue and its end. A stream of "single
 * connection mode" exists before its response does: messages wait in the queue until `attach`.
 */
export class StreamConnection {
  readonly queue: StreamQueue;
  /** Memory of the operations. */
  readonly bytes = new ByteAccount();
  readonly #options: ConnectionOptions;
  readonly #format: StreamFormat;
  readonly #hold: ConnectionHold;
  readonly #releaseAddress: () => void;
  readonly #onEnd: () => void;
  #response: ServerResponse | undefined;
  #stopHeartbeats: (() => void) | undefined;
  readonly #expiry = new Expiry(() => this.#expire());
  readonly #departure = new Expiry(() => this.leave());
  #ended = false;

  /**
   * @param onEnd called once, when nothing can be sent any more, whichever side ended the stream.
   * @throws TidegateError TOO_MANY_CONNECTIONS
   */
  constructor(
    facts: EdgeFacts,
    options: ConnectionOptions & { readonly format: StreamFormat },
    onEnd: () => void,
  ) {
    this.#options = options;
    this.#format = options.format;
    this.#onEnd = onEnd;
    this.queue = new OutboundQueue({
      encoder,
      scheduler: options.scheduler,
      maxBytes: options.maxQueuedBytes,
      onOverflow: () => this.#endSlowConsumer(),
    });
    this.#releaseAddress = options.guards.admission.admitAddress(facts.address);
    this.#hold = new ConnectionHold(options.guards, () => this.#endEarly('UNAUTHENTICATED'));
    try {
      this.identify(facts.viewer);
    } catch (error) {
      this.#releaseAddress();
      throw error;
    }
    const ageMs = drawAgeMs(options.maxConnectionAgeMs);
    if (ageMs !== undefined) this.leaveAfter(ageMs);
  }

  /** Label of the metrics. */
  get transport(): StreamFormat['transport'] {
    return this.#format.transport;
  }

  /** True once there is a response. */
  get attached(): boolean {
    return this.#response !== undefined;
  }

  /** Assigns the stream to a viewer and a token. @throws TidegateError TOO_MANY_CONNECTIONS */
  identify(viewer: VerifiedViewer): void {
    this.#hold.assign(viewer);
  }

  /**
   * Begins the response: headers and the first bytes at once, then the messages that already wait. Ends the stream when
   * the client has left.
   */
  attach(response: ServerResponse): void {
    if (response.destroyed) return this.cut();
    if (this.#ended) return void response.destroy();
    this.#response = response;
    this.#options.metrics.connections.inc({ transport: this.transport });
    response.writeHead(200, { ...HEADERS, ...this.#format.headers });
    response.write(this.#format.opening());
    response.on('close', () => this.#end());
    this.#stopHeartbeats = this.#options.heartbeats.start(() => this.#beat());
    this.queue.attach(response);
  }

  /** Ends the response once all queued messages are written. Idempotent. */
  complete(): void {
    if (!this.queue.isOpen) return;
    this.#expiry.set(Date.now() + FINAL_FLUSH_TIMEOUT_MS);
    this.queue.seal();
    this.queue.onceFlushed(() => this.#response?.end());
  }

  /** Ends the stream early once all queued messages are written: its client reconnects, here or elsewhere. Idempotent. */
  leave(): void {
    if (!this.queue.isOpen) return;
    if (!this.#response) return this.cut();
    this.#expiry.set(Date.now() + FINAL_FLUSH_TIMEOUT_MS);
    this.queue.seal();
    // The callback runs when the kernel has all bytes: an earlier cut would discard them.
    this.queue.onceFlushed(() => {
      if (this.#format.farewell) this.#endEarly('DRAINING');
      else this.#response?.write(this.#format.heartbeat, () => this.cut());
    });
  }

  /** Leaves after this delay in milliseconds, in place of the delay set before. */
  leaveAfter(delayMs: number): void {
    this.#departure.set(Date.now() + delayMs);
  }

  /**
   * Ends the stream at once, without `complete`. Tells the error to a client that does not reconnect by itself; an
   * EventSource reconnects when it is cut, with its Last-Event-ID.
   */
  endEarly(error: TidegateError): void {
    const response = this.#response;
    const { farewell } = this.#format;
    if (this.#ended || !response || !farewell) return this.cut();
    this.#end();
    response.end(farewell(error));
    // The client may read nothing.
    const deadline = setTimeout(() => response.destroy(), FINAL_FLUSH_TIMEOUT_MS).unref();
    response.on('close', () => clearTimeout(deadline));
  }

  /** Ends the stream at once and drops queued messages. */
  cut(): void {
    this.#end();
    this.#response?.destroy();
  }

  /** @param atMs time of the cut, milliseconds since the epoch, in place of the time set before; `Infinity`: never. */
  expireAt(atMs: number): void {
    if (this.queue.isOpen) this.#expiry.set(atMs);
  }

  /** Not while messages wait or under backpressure: a heartbeat would prove nothing and only wait. */
  #beat(): void {
    if (this.queue.bytes === 0 && !this.#response?.writableNeedDrain) this.queue.send(this.#format.heartbeat);
  }

  /** The time of the token, or of the final flush, is over. */
  #expire(): void {
    if (this.queue.isOpen) this.#endEarly('TOKEN_EXPIRED');
    else this.cut();
  }

  #endEarly(code: keyof typeof EARLY_ENDS): void {
    this.endEarly(new TidegateError(code, EARLY_ENDS[code]));
  }

  /** Cut without an error, which would only wait behind the messages that the client does not read. */
  #endSlowConsumer(): void {
    this.#options.metrics.slowConsumers.inc({ transport: this.transport });
    this.cut();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopHeartbeats?.();
    this.#expiry.clear();
    this.#departure.clear();
    this.queue.close();
    if (this.#response) this.#options.metrics.connections.dec({ transport: this.transport });
    this.#hold.release();
    this.#releaseAddress();
    this.#onEnd();
  }
}
