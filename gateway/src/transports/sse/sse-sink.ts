import type { ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/errors';
import { formatError } from '../../graphql/error-codes.ts';
import type { Frame } from '../../live/frame.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import type { Sink } from '../../live/live-request.ts';

export interface SseSinkOptions {
  readonly response: ServerResponse;
  readonly maxQueuedBytes: number;
  readonly metrics: LiveMetrics;
}

const encodedFrames = new WeakMap<Frame, Buffer>();

/** The bytes of a frame as an event; made once, shared by every SSE subscriber of the group. */
export function encodeSseEvent(frame: Frame): Buffer {
  const known = encodedFrames.get(frame);
  if (known) return known;
  const encoded = Buffer.concat([
    Buffer.from(`id: ${frame.cursor}\nevent: next\ndata: `),
    frame.json,
    Buffer.from('\n\n'),
  ]);
  encodedFrames.set(frame, encoded);
  return encoded;
}

/**
 * One subscription over Server-Sent Events, "distinct connections mode" of the GraphQL over SSE protocol
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), with the cursor as `id`.
 */
export function createSseSink(options: SseSinkOptions): Sink {
  const { response, maxQueuedBytes, metrics } = options;
  const end = (error?: TidegateError): void => {
    if (response.writableEnded) return;
    if (error) response.write(`event: next\ndata: ${JSON.stringify({ errors: [formatError(error)] })}\n\n`);
    response.end('event: complete\ndata:\n\n');
  };
  return {
    next: (frame) => {
      if (response.writableEnded || response.destroyed) return;
      if (response.writableLength > maxQueuedBytes) {
        metrics.slowConsumers.inc({ transport: 'sse' });
        // Cut off rather than told: the words would only wait behind what the client does not read.
        response.destroy();
        return;
      }
      metrics.frames.inc({ transport: 'sse' });
      response.write(encodeSseEvent(frame));
    },
    complete: () => end(),
    fail: (error) => {
      // A draining server cuts the stream: an EventSource comes back by itself, with its Last-Event-ID.
      if (error.code === 'DRAINING') response.destroy();
      else end(error);
    },
  };
}
