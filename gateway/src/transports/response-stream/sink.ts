import type { OverflowPolicy } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/core';
import type { FrameBatch } from '../../live/group/frame-batch.ts';
import type { Sink } from '../../live/sink.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import { closesConnection } from '../closes-connection.ts';
import { QueueSink } from '../outbound/queue-sink.ts';
import type { StreamConnection } from './connection.ts';
import type { OperationMessages, StreamSource } from './encoding.ts';

export interface StreamSinkOptions {
  readonly connection: StreamConnection;
  readonly messages: OperationMessages;
  readonly policy: OverflowPolicy;
  readonly metrics: LiveMetrics;
  /** Called after the last message of the subscription. Not called when the connection is closed. */
  readonly onEnd: () => void;
}

/** One subscription on one stream, alone or among others. */
export class StreamSink extends QueueSink implements Sink, StreamSource {
  readonly messages: OperationMessages;
  readonly #frames: LiveMetrics['frames'];
  readonly policy: OverflowPolicy;
  readonly bytesPerFrame: number;
  onDrop: ((dropped: number) => void) | undefined;
  readonly #connection: StreamConnection;
  readonly #onEnd: () => void;

  constructor({ connection, messages, policy, metrics, onEnd }: StreamSinkOptions) {
    super(connection.queue);
    this.messages = messages;
    this.#frames = metrics.frames;
    this.policy = policy;
    this.bytesPerFrame = messages.bytesPerFrame;
    this.#connection = connection;
    this.#onEnd = onEnd;
  }

  deliver(batch: FrameBatch, dropped?: number): void {
    this.#frames[this.#connection.transport] += batch.frames.length;
    this.queue.deliver(this, batch, dropped);
  }

  complete(): void {
    this.#connection.queue.send(this.messages.complete());
    this.#onEnd();
  }

  fail(error: TidegateError): void {
    if (closesConnection(error)) return this.#connection.endEarly(error);
    this.#connection.queue.send(this.messages.failure(error));
    this.complete();
  }
}
