import { TidegateError } from '@tidegate/errors';
import type { WebSocket } from 'ws';
import type { Frame } from '../../live/frame.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import type { Sink } from '../../live/live-request.ts';

const CLOSING_BRACE = Buffer.from('}');

export interface WebSocketSinkOptions {
  readonly socket: WebSocket;
  /** The client's id of the subscription. */
  readonly id: string;
  /** What may wait in the connection's outbound queue before the client counts as slow. */
  readonly maxQueuedBytes: number;
  readonly metrics: LiveMetrics;
  /** Called with the last word: nothing when the field has said all it will. */
  readonly onEnd: (error?: TidegateError) => void;
}

/**
 * One subscription on one WebSocket. Writes `next` messages of graphql-transport-ws itself: a few bytes that hold
 * the subscription's id in front of a payload that all subscribers share.
 */
export function createWebSocketSink(options: WebSocketSinkOptions): Sink {
  const { socket, maxQueuedBytes, metrics } = options;
  const head = Buffer.from(`{"id":${JSON.stringify(options.id)},"type":"next","payload":`);
  return {
    next: (frame: Frame) => {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > maxQueuedBytes) {
        metrics.slowConsumers.inc({ transport: 'websocket' });
        options.onEnd(
          new TidegateError('SLOW_CONSUMER', 'This connection reads too slowly; come back with your cursor.'),
        );
        return;
      }
      metrics.frames.inc({ transport: 'websocket' });
      socket.send(Buffer.concat([head, frame.json, CLOSING_BRACE]), { binary: false });
    },
    complete: () => options.onEnd(),
    fail: (error) => options.onEnd(error),
  };
}
