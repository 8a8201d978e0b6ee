import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FetchHandler } from './fetch-handler.ts';
import { createServerAdapter } from '@whatwg-node/server';

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpServer {
  readonly port: number;
  /**
   * Takes no new connections, lets requests under way finish for at most `graceMs`, then cuts what is left,
   * upgraded connections too. Idempotent.
   */
  stop(graceMs: number): Promise<void>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly handle: FetchHandler;
  /** Without it an upgrade is refused by closing the connection. */
  readonly onUpgrade?: UpgradeHandler;
}

/**
 * Serves a FetchHandler by `node:http`.
 *
 * @throws the listen error (EADDRINUSE, EACCES) of the address.
 */
export async function startHttpServer({
  host,
  port,
  handle,
  onUpgrade,
}: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(createServerAdapter(handle));
  const upgraded = new Set<Duplex>();
  let closing = false;
  server.on('request', (_request, response) => {
    // Node keeps a connection that was busy at `close` alive for five seconds after its answer.
    response.once('close', () => closing && setImmediate(() => server.closeIdleConnections()));
  });
  if (onUpgrade) {
    server.on('upgrade', (request, socket, head) => {
      upgraded.add(socket);
      socket.once('close', () => upgraded.delete(socket));
      onUpgrade(request, socket, head);
    });
  }
  server.listen(port, host);
  await once(server, 'listening');

  async function close(graceMs: number): Promise<void> {
    const closed = once(server, 'close');
    closing = true;
    // Idle keep-alive connections go at once, busy ones when their answer is out.
    server.close();
    const timer = setTimeout(() => {
      server.closeAllConnections();
      // Node forgets an upgraded socket and yet waits for it.
      for (const socket of upgraded) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  let stopping: Promise<void> | undefined;
  return {
    port: (server.address() as AddressInfo).port,
    stop: (graceMs) => (stopping ??= close(graceMs)),
  };
}
