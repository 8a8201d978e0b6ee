import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BffServer, RequestFacts } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/document-cache.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import { createSseSink } from './sse-sink.ts';

export interface SseHandlerOptions {
  readonly hub: LiveHub;
  readonly metrics: LiveMetrics;
  readonly maxQueuedBytes: number;
  readonly heartbeatMs: number;
}

/** True when the client wants an event stream. */
export function wantsEventStream(request: IncomingMessage): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false;
}

/**
 * Serves one subscription as an event stream until either side ends it.
 *
 * @throws what `BffServer.liveRequest` throws, before anything was written.
 */
export function serveEventStream(
  options: SseHandlerOptions,
  server: BffServer,
  params: OperationParams,
  facts: RequestFacts,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const live = server.liveRequest(params, facts, cursorOf(request, params));
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    // Proxies hold events back or compress them unless told not to.
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  });
  response.write(':\n\n');
  options.metrics.connections.inc({ transport: 'sse' });
  const heartbeat = setInterval(() => response.write(':\n\n'), options.heartbeatMs);
  const expiry = endAtExpiry(facts, response);
  const subscription = options.hub.subscribe(live, createSseSink({ response, ...options }));
  response.on('close', () => {
    clearInterval(heartbeat);
    clearTimeout(expiry);
    options.metrics.connections.dec({ transport: 'sse' });
    subscription.stop();
  });
}

/** `Last-Event-ID` is what a reconnecting EventSource sends; a first request may carry the cursor in extensions. */
function cursorOf(request: IncomingMessage, params: OperationParams): string | undefined {
  const lastEventId = request.headers['last-event-id'];
  if (typeof lastEventId === 'string' && lastEventId !== '') return lastEventId;
  const cursor = params.extensions?.['cursor'];
  return typeof cursor === 'string' ? cursor : undefined;
}

function endAtExpiry(facts: RequestFacts, response: ServerResponse): NodeJS.Timeout | undefined {
  const { expiresAtMs } = facts.viewer;
  if (expiresAtMs === undefined) return undefined;
  return setTimeout(() => response.destroy(), Math.min(expiresAtMs - Date.now(), 2 ** 31 - 1));
}
