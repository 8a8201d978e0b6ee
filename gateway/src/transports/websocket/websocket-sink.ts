import type { OverflowPolicy } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/errors';
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
export function createWebSocketSink(options: WebSocketSinkOptions): Sink {
  const { queue, policy } = options;
  const { frames } = options.metrics;
  const head = Buffer.from(`{"id":${JSON.stringify(options.id)},"type":"next","payload":`);
  const entrance: QueueEntrance = { head, policy, bytesPerFrame: head.length + 1 };
  return {
    next: (batch, dropped) => {
      frames.websocket += batch.frames.length;
      queue.next(entrance, batch, dropped);
    },
    // A ping may carry a payload; a client that knows nothing of it answers with a pong and is well.
    position: (cursor) =>
      queue.position(
        entrance,
        JSON.stringify({ type: 'ping', payload: { tidegate: { cursors: { [options.id]: cursor } } } }),
      ),
    ready: () => queue.ready(),
    drained: () => queue.drained(),
    onDrop: (listener) => {
      entrance.onDrop = listener;
    },
    complete: () => options.onEnd(),
    fail: (error) => options.onEnd(error),
  };
}
