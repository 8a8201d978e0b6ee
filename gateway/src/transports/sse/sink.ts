import type { OverflowPolicy } from '@tidegate/bff';
import type { TidegateError } from '@tidegate/core';
import { formatError } from '../../graphql/error-codes.ts';
import type { Sink } from '../../live/sink.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import {
  COMPLETE,
  encodeFrameEvents,
  encodePosition,
  encodeResultEvent,
  type OperationEvents,
} from './encoding.ts';
import type { SseStream, StreamEntrance } from './connection.ts';

/** About what stands around a frame's JSON: its cursor as `id:` and the names of the fields. */
const EVENT_BYTES = 120;

/** One subscription that has a stream to itself: "distinct connections mode", with the cursor as `id`. */
export function createDistinctSink(stream: SseStream, policy: OverflowPolicy, metrics: LiveMetrics): Sink {
  const entrance: StreamEntrance = { policy, bytesPerFrame: EVENT_BYTES, encode: encodeFrameEvents };
  const complete = (): void => {
    stream.write(COMPLETE);
    stream.complete();
  };
  return {
    ...outboundPart(stream, entrance, metrics),
    deliverPosition: (cursor) => stream.position(entrance, encodePosition(cursor)),
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
  policy: OverflowPolicy,
  metrics: LiveMetrics,
  onEnd: () => void,
): Sink {
  const entrance: StreamEntrance = {
    policy,
    bytesPerFrame: events.bytesPerFrame,
    encode: (batch) => events.frames(batch),
  };
  const complete = (): void => {
    stream.write(events.complete());
    onEnd();
  };
  return {
    ...outboundPart(stream, entrance, metrics),
    deliverPosition: (cursor) => stream.position(entrance, events.position(cursor)),
    complete,
    fail: (error) => {
      if (endsConnection(error)) return stream.cut();
      stream.write(...events.result({ errors: [formatError(error)] }));
      complete();
    },
  };
}

/** What both modes have in common: the way of frames into the stream's queue, and how full that is. */
function outboundPart(
  stream: SseStream,
  entrance: StreamEntrance,
  { frames }: LiveMetrics,
): Pick<Required<Sink>, 'deliver' | 'ready' | 'drained' | 'onDropped'> {
  return {
    deliver: (batch, dropped) => {
      frames.sse += batch.frames.length;
      stream.deliver(entrance, batch, dropped);
    },
    ready: () => stream.ready(),
    drained: () => stream.drained(),
    onDropped: (listener) => {
      entrance.onDrop = listener;
    },
  };
}

/** What is over is the connection and not the operation: the client is to come back with its cursor. */
function endsConnection(error: TidegateError): boolean {
  return error.code === 'DRAINING' || error.code === 'SLOW_CONSUMER';
}
