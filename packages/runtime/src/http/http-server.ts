import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { encodeErrorBody, errorCodes, TidegateError, toTidegateError } from '@tidegate/core';
import { createServerAdapter } from '@whatwg-node/server';
import type { Logger } from '../telemetry/index.ts';
import { compressResponse } from './compress-response.ts';
import { errorResponse } from './error-response.ts';
import type { FetchHandler } from './fetch-handler.ts';
import { healthPaths } from './health-paths.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { normaliseTarget, WHOLE_SERVER } from './request-target.ts';
import { asksForWebSocket } from './websocket-upgrade.ts';

/** Answers the requests that an `HttpServer` receives. */
export interface HttpListener {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Answers upgrades to WebSocket. Default: each is refused with 404. All other upgrades are ignored. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends the connections that would not end by themselves. `HttpServer.stop` awaits it before it closes the rest. */
  drain?(): Promise<void>;
}

export interface HttpServerOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Port to listen on. Default 0: a free one. */
  readonly port?: number;
  /** Answers `/healthz`, `/readyz` and `/metrics`; undefined for a path it does not have. See `createHealthHandler`. */
  readonly health?: (request: Request) => Promise<Response> | undefined;
  readonly logger: Logger;
  readonly timeouts?: Partial<HttpTimeouts>;
}

/** Times after which a server closes a connection, in milliseconds. */
export interface HttpTimeouts {
  /** For the head of a request, from its first byte on; for the first request, from the connection on. Default 10,000. */
  readonly headersMs: number;
  /** For a whole request. At least `headersMs`. Default 30,000. */
  readonly requestMs: number;
  /**
   * For the next request after an answer. Default 65,000: longer than load balancers keep a connection (60 s), or they
   * send a request on a connection that is just being closed.
   */
  readonly keepAliveMs: number;
}

export interface HttpServer {
  /** Such as `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** True once `serve` was called. */
  readonly serving: boolean;
  /** Passes requests to this listener from now on. Before it, all but health are answered with 503. */
  serve(listener: HttpListener): void;
  /** Calls back with each accepted socket, before its first byte. */
  onConnection(callback: (socket: Socket) => void): void;
  /**
   * Drains the listener, then accepts no new connections, lets requests under way finish for at most `graceMs` and
   * cuts the rest, upgraded connections too. Idempotent.
   */
  stop(graceMs: number): Promise<void>;
}

export const defaultHttpTimeouts: HttpTimeouts = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 65_000,
};
/** For the request line and all headers, a token among them. A larger head is answered with 431. */
const MAX_HEADER_BYTES = 16 * 1024;
const IDLE_SWEEP_MS = 50;

/**
 * Starts the HTTP server of a process. It listens before the process has anything to serve, so that health is answered
 * while backends are awaited.
 *
 * @throws the listen error (EADDRINUSE, EACCES) of the address.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = new NodeHttpServer(options);
  await server.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  return server;
}

class NodeHttpServer implements HttpServer {
  readonly #server: Server;
  readonly #upgraded = new Set<Duplex>();
  readonly #forget: (this: Duplex) => void;
  readonly #fallback: HttpListener;
  #address!: AddressInfo;
  #listener: HttpListener | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: HttpServerOptions) {
    const { headersMs, requestMs, keepAliveMs } = { ...defaultHttpTimeouts, ...options.timeouts };
    const limits = {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: Math.max(requestMs, headersMs),
      keepAliveTimeout: keepAliveMs,
      // Node looks for connections that timed out every 30 s, which would make a bound of 10 s one of 40 s.
      connectionsCheckingInterval: Math.ceil(headersMs / 4),
      shouldUpgradeCallback: asksForWebSocket,
    };
    this.#fallback = createFetchListener(
      async (request) => (await options.health?.(request)) ?? this.#answerUnserved(),
      options.logger,
    );
    this.#server = createServer(limits, (request, response) => this.#handle(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('connect', (_request, socket) => refuseConnect(socket));
    const upgraded = this.#upgraded;
    // Shared by all sockets: a closure each would be memory for every open connection.
    this.#forget = function forget(this: Duplex) {
      upgraded.delete(this);
    };
  }

  async listen(host: string, port: number): Promise<void> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    this.#address = this.#server.address() as AddressInfo;
  }

  get port(): number {
    return this.#address.port;
  }

  get url(): string {
    const { address, family, port } = this.#address;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  get serving(): boolean {
    return this.#listener !== undefined;
  }

  serve(listener: HttpListener): void {
    this.#listener = listener;
  }

  onConnection(callback: (socket: Socket) => void): void {
    this.#server.on('connection', callback);
  }

  stop(graceMs: number): Promise<void> {
    return (this.#stopped ??= this.#stop(graceMs));
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#listener?.drain?.();
    const closed = once(this.#server, 'close');
    this.#server.close();
    // Node keeps a connection that was busy at `close` alive for five seconds after its response.
    const sweep = setInterval(() => this.#server.closeIdleConnections(), IDLE_SWEEP_MS);
    const timer = setTimeout(() => {
      this.#server.closeAllConnections();
      // Node does not close an upgraded socket, and yet waits for it.
      for (const socket of this.#upgraded) socket.destroy();
    }, graceMs);
    await closed;
    clearInterval(sweep);
    clearTimeout(timer);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const refusal = refusalOf(request);
    if (refusal) return answerError(response, refusal);
    if (request.url === WHOLE_SERVER) return answerWholeServer(response);
    const isHealth = healthPaths.has(request.url!.split('?', 1)[0]!);
    const listener = isHealth ? undefined : this.#listener;
    if (listener) return listener.handle(request, response);
    compressResponse(request, response);
    this.#fallback.handle(request, response);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', destroy);
    this.#upgraded.add(socket);
    socket.once('close', this.#forget);
    // The client may have offered other protocols beside it.
    request.headers.upgrade = 'websocket';
    const refusal = refusalOf(request);
    if (refusal) refuseUpgrade(socket, refusal);
    else if (!this.#listener)
      refuseUpgrade(socket, new TidegateError('UNAVAILABLE', 'The process is starting.'));
    else if (this.#listener.upgrade) this.#listener.upgrade(request, socket, head);
    else refuseUpgrade(socket, new TidegateError('NOT_FOUND', 'There is no WebSocket at this address.'));
  }

  #answerUnserved(): Response {
    if (this.#listener)
      return errorResponse(new TidegateError('NOT_FOUND', 'There is nothing at this address.'));
    const error = new TidegateError(
      'UNAVAILABLE',
      'The process is starting; /readyz says what it waits for.',
    );
    return errorResponse(error, { 'retry-after': '1' });
  }
}

/** Serves a FetchHandler over HTTP. A handler that rejects is logged and answered with INTERNAL. */
export function createFetchListener(handle: FetchHandler, logger: Logger): HttpListener {
  const adapter = createServerAdapter<{ req?: IncomingMessage }>(async (request, { req }) => {
    try {
      return await handle(request, { address: req?.socket.remoteAddress });
    } catch (error) {
      // The adapter would answer with the error's stack.
      logger.error({ err: error }, 'a request handler rejected');
      return errorResponse(toTidegateError(error));
    }
  });
  return { handle: (request, response) => void adapter(request, response) };
}

/** Returns the error of a request whose target or host is malformed. */
function refusalOf(request: IncomingMessage): TidegateError | undefined {
  try {
    normaliseTarget(request);
    return undefined;
  } catch (error) {
    return toTidegateError(error);
  }
}

/** Answers without a `Request`: its address would not be a URL. */
function answerError(response: ServerResponse, error: TidegateError): void {
  // The rest of the request is not read: the connection cannot be used again.
  response.writeHead(errorCodes[error.code].httpStatus, {
    'content-type': 'application/json',
    connection: 'close',
  });
  response.end(JSON.stringify(encodeErrorBody(error)));
}

function answerWholeServer(response: ServerResponse): void {
  response.writeHead(204, { allow: 'GET, HEAD, POST, PUT, DELETE, OPTIONS' }).end();
}

function refuseConnect(socket: Duplex): void {
  socket.on('error', destroy);
  refuseUpgrade(socket, new TidegateError('METHOD_NOT_ALLOWED', 'This server is no proxy.'));
}

function destroy(this: Duplex): void {
  this.destroy();
}
