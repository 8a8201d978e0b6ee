import type { OverflowPolicy } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/core';
import { formatError } from '../../graphql/error-codes.ts';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Sink } from '../../live/sink.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import { closesConnection } from '../closes-connection.ts';
import { QueueSink } from '../outbound/queue-sink.ts';
import type { SseConnection } from './connection.ts';
import type { OperationEvents, SseSource } from './encoding.ts';

export interface SseSinkOptions {
  readonly connection: SseConnection;
  readonly events: OperationEvents;
  readonly policy: OverflowPolicy;
  readonly metrics: LiveMetrics;
  /** Called after the last event of the subscription. Not called when the connection is closed. */
  readonly onEnd: () => void;
}

/** One subscription on one event stream, alone or among others. */
export class SseSink extends QueueSink implements Sink, SseSource {
  readonly events: OperationEvents;
  readonly #frames: LiveMetrics['frames'];
  readonly policy: OverflowPolicy;
  readonly bytesPerFrame: number;
  onDrop: ((dropped: number) => void) | undefined;
  readonly #connection: SseConnection;
  readonly #onEnd: () => void;

  constructor({ connection, events, policy, metrics, onEnd }: SseSinkOptions) {
    super(connection.queue);
    this.events = events;
    this.#frames = metrics.frames;
    this.policy = policy;
    this.bytesPerFrame = events.bytesPerFrame;
    this.#connection = connection;
    this.#onEnd = onEnd;
  }

  deliver(batch: FrameBatch, dropped?: number): void {
    this.#frames.sse += batch.frames.length;
    this.queue.deliver(this, batch, dropped);
  }

  complete(): void {
    this.#connection.queue.send(this.events.complete());
    this.#onEnd();
  }

  fail(error: TidegateError): void {
    if (closesConnection(error)) return this.#connection.cut();
    this.#connection.queue.send(this.events.result({ errors: [formatError(error)] }));
    this.complete();
  }
}
