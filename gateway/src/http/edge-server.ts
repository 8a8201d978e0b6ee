import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServerAdapter } from '@whatwg-node/server';
import { refuseUpgrade } from './refuse.ts';

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

/** A slow or half-open client holds nothing but its own socket, and not for long. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * The gateway's HTTP server. It listens before anything else is there, so that health is answered while backends are
 * awaited; whatever else is asked then gets 503.
 *
 * @throws the listen error (EADDRINUSE, EACCES) of the address.
 */
export async function startEdgeServer(options: {
  host: string;
  port: number;
  health: (request: Request) => Promise<Response> | undefined;
}): Promise<EdgeServer> {
  const starting = createServerAdapter(
    async (request: Request) => (await options.health(request)) ?? notStarted(),
  ) as RequestListener;
  let edge: Edge | undefined;
  const server = createServer((request, response) =>
    edge ? edge.handle(request, response) : starting(request, response),
  );
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
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
