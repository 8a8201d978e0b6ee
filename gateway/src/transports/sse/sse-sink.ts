import type { TidegateError } from '@tidegate/errors';
import { formatError } from '../../graphql/error-codes.ts';
import type { Sink } from '../../live/live-request.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import {
  COMPLETE,
  encodeFrameEvent,
  encodePosition,
  encodeResultEvent,
  type OperationEvents,
} from './event-encoding.ts';
import type { SseStream } from './sse-stream.ts';

/** A sink that can also be told where an idle subscription stands. */
export interface PositionedSink extends Sink {
  position(cursor: string): void;
}

/** One subscription that has a stream to itself: "distinct connections mode", with the cursor as `id`. */
export function createDistinctSink(stream: SseStream, metrics: LiveMetrics): PositionedSink {
  const complete = (): void => {
    stream.write(COMPLETE);
    stream.complete();
  };
  return {
    next: (frame) => {
      metrics.frames.inc({ transport: 'sse' });
      stream.write(encodeFrameEvent(frame));
    },
    position: (cursor) => stream.write(encodePosition(cursor)),
    complete,
    fail: (error) => {
      if (endsConnection(error)) return stream.cut();
      stream.write(encodeResultEvent({ errors: [formatError(error)] }));
      complete();
    },
  };
}

/** One subscription among others on a stream: "single connection mode". `onEnd` is called with its last word. */
export function createOperationSink(
  stream: SseStream,
  events: OperationEvents,
  metrics: LiveMetrics,
  onEnd: () => void,
): PositionedSink {
  const complete = (): void => {
    stream.write(events.complete());
    onEnd();
  };
  return {
    next: (frame) => {
      metrics.frames.inc({ transport: 'sse' });
      stream.write(...events.frame(frame));
    },
    position: (cursor) => stream.write(events.position(cursor)),
    complete,
    fail: (error) => {
      if (endsConnection(error)) return stream.cut();
      stream.write(...events.result({ errors: [formatError(error)] }));
      complete();
    },
  };
}

/** What is over is the connection and not the operation: the client is to come back with its cursor. */
function endsConnection(error: TidegateError): boolean {
  return error.code === 'DRAINING' || error.code === 'SLOW_CONSUMER';
}
