import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServerAdapter } from '@whatwg-node/server';
import { createMetrics, type Metrics } from '@tidegate/runtime/telemetry';
import { createClientAddresses, type ClientAddresses } from '../admission/client-address.ts';
import { createEdgeMetrics } from '../admission/metrics.ts';
import { refuseUpgrade } from '../admission/refuse-upgrade.ts';
import { halfOfOpenFiles, limitSockets } from '../admission/socket-limit.ts';

/** What answers once the gateway is there. */
export interface Edge {
  handle(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface EdgeServer {
  readonly url: string;
  /** From now on everything goes to the gateway. */
  serve(edge: Edge): void;
  /** Takes no new connections, waits at most `graceMs` for answers under way, then cuts what is left. */
  stop(graceMs: number): Promise<void>;
}

export interface EdgeServerOptions {
  readonly host: string;
  readonly port: number;
  readonly health: (request: Request) => Promise<Response> | undefined;
  readonly metrics?: Metrics;
  /** Which proxies are trusted to say for whom they ask. Default: none. */
  readonly addresses?: ClientAddresses;
  /** Most open sockets of one address. Default: half of the files the process may open. */
  readonly maxSocketsPerAddress?: number;
  /** How long a socket may take to send the head of a request, counted from its first moment. Default 10 s. */
  readonly headersTimeoutMs?: number;
}

/** A slow or half-open client holds nothing but its own socket, and not for long. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Line, headers and a token in them. More is answered with 431. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * The gateway's HTTP server. It listens before anything else is there, so that health is answered while backends are
 * awaited; whatever else is asked then gets 503.
 *
 * @throws the listen error (EADDRINUSE, EACCES) of the address.
 */
export async function startEdgeServer(options: EdgeServerOptions): Promise<EdgeServer> {
  const headersTimeout = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  const starting = createServerAdapter(
    async (request: Request) => (await options.health(request)) ?? notStarted(),
  ) as RequestListener;
  let edge: Edge | undefined;
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout,
    requestTimeout: Math.max(REQUEST_TIMEOUT_MS, headersTimeout),
    // Node looks for what has timed out every 30 s, which would make a bound of 10 s one of 40 s.
    connectionsCheckingInterval: Math.ceil(headersTimeout / 4),
  };
  const server = createServer(limits, (request, response) =>
    edge ? edge.handle(request, response) : starting(request, response),
  );
  limitSockets(server, {
    maxPerAddress: options.maxSocketsPerAddress ?? halfOfOpenFiles(),
    addresses: options.addresses ?? createClientAddresses([]),
    metrics: createEdgeMetrics(options.metrics ?? createMetrics({ nodeMetrics: false })),
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (edge) edge.upgrade(request, socket, head);
    else refuseUpgrade(socket, 503, 'The gateway is starting.');
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    serve: (started) => {
      edge = started;
    },
    stop: async (graceMs) => {
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function notStarted(): Response {
  const error = { code: 'UNAVAILABLE', message: 'The gateway is starting; /readyz says what it waits for.' };
  return Response.json({ error }, { status: 503, headers: { 'retry-after': '1' } });
}
