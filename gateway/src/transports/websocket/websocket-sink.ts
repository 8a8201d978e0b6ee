import type { OverflowPolicy } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/errors';
import type { FrameBatch } from '../../live/frame-batch.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import type { Sink } from '../../live/live-request.ts';
import type { OutboundQueue, QueueEntrance } from './outbound-queue.ts';

export interface WebSocketSinkOptions {
  readonly queue: OutboundQueue;
  /** The client's id of the subscription. */
  readonly id: string;
  readonly policy: OverflowPolicy;
  readonly metrics: LiveMetrics;
  /** Called with the last word: nothing when the field has said all it will. */
  readonly onEnd: (error?: TidegateError) => void;
}

/**
 * One subscription on one WebSocket. Writes `next` messages of graphql-transport-ws itself: a few bytes that hold
 * the subscription's id in front of a payload that all subscribers share.
 */
export class WebSocketSink implements Sink {
  readonly #options: WebSocketSinkOptions;
  readonly #queue: OutboundQueue;
  readonly #entrance: QueueEntrance;
  readonly #frames: LiveMetrics['frames'];

  constructor(options: WebSocketSinkOptions) {
    this.#options = options;
    this.#queue = options.queue;
    this.#frames = options.metrics.frames;
    const id = JSON.stringify(options.id);
    const head = Buffer.from(`{"id":${id},"type":"next","payload":`);
    this.#entrance = { id, head, policy: options.policy, bytesPerFrame: head.length + 1 };
  }

  next(batch: FrameBatch, dropped?: number): void {
    this.#frames.websocket += batch.frames.length;
    this.#queue.next(this.#entrance, batch, dropped);
  }

  position(cursor: string): void {
    this.#queue.position(this.#entrance, cursor);
  }

  ready(): Promise<void> | undefined {
    return this.#queue.ready();
  }

  drained(): Promise<void> | undefined {
    return this.#queue.drained();
  }

  onDrop(listener: (dropped: number) => void): void {
    this.#entrance.onDrop = listener;
  }

  complete(): void {
    this.#options.onEnd();
  }

  fail(error: TidegateError): void {
    this.#options.onEnd(error);
  }
}
