import type { OverflowPolicy } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/core';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import type { Sink } from '../../live/sink.ts';
import { QueueSink } from '../outbound/queue-sink.ts';
import type { WebSocketQueue } from './connection.ts';
import type { WebSocketSource } from './encoding.ts';

export interface WebSocketSinkOptions {
  readonly queue: WebSocketQueue;
  /** The client's id of the subscription. */
  readonly id: string;
  readonly policy: OverflowPolicy;
  readonly metrics: LiveMetrics;
  /** Called when the subscription ends: without an error when the field has completed. */
  readonly onEnd: (error?: TidegateError) => void;
}

/**
 * One subscription on one WebSocket. Writes `next` messages of graphql-transport-ws itself: a few bytes with the
 * subscription's id in front of a payload that all subscribers share. The fields that every delivery reads come first.
 */
export class WebSocketSink extends QueueSink implements Sink, WebSocketSource {
  readonly head: Buffer;
  readonly #frames: LiveMetrics['frames'];
  readonly id: string;
  readonly policy: OverflowPolicy;
  readonly bytesPerFrame: number;
  onDrop: ((dropped: number) => void) | undefined;
  readonly #onEnd: WebSocketSinkOptions['onEnd'];

  constructor({ queue, id, policy, metrics, onEnd }: WebSocketSinkOptions) {
    super(queue);
    this.#frames = metrics.frames;
    this.id = JSON.stringify(id);
    this.head = Buffer.from(`{"id":${this.id},"type":"next","payload":`);
    this.policy = policy;
    this.bytesPerFrame = this.head.length + 1;
    this.#onEnd = onEnd;
  }

  deliver(batch: FrameBatch, dropped?: number): void {
    this.#frames.websocket += batch.frames.length;
    this.queue.deliver(this, batch, dropped);
  }

  complete(): void {
    this.#onEnd();
  }

  fail(error: TidegateError): void {
    this.#onEnd(error);
  }
}
