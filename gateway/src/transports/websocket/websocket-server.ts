import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { anonymous } from '@tidegate/bff';
import { errorCodes, toTidegateError, TidegateError } from '@tidegate/errors';
import { delay } from '@tidegate/resilience';
import type { Logger } from '@tidegate/telemetry';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { handleProtocols, makeServer, type Context, type Server } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import type { BffServer, RequestFacts } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/document-cache.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LiveRequest } from '../../live/live-request.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import { createLiveIterator, type LiveIterator } from './live-iterator.ts';
import type { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { OutboundQueue } from './outbound-queue.ts';
import { createWebSocketSink } from './websocket-sink.ts';

export interface WebSocketTransportOptions {
  readonly server: BffServer;
  readonly hub: LiveHub;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
  /** One for all connections of the process. */
  readonly scheduler: FlushScheduler;
  /** Largest message a client may send. */
  readonly maxMessageBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxSubscriptionsPerConnection: number;
  /** How often an idle connection is probed; one that misses a probe is ended. */
  readonly heartbeatMs: number;
  /** Over how long connections are closed when the process drains. */
  readonly drainWindowMs: number;
}

/** How long a slow consumer has to read its close frame. */
const CUT_OFF_MS = 2_000;
/** How long clients have to answer the last close frame of a drain. */
const CLOSE_GRACE_MS = 1_000;

/** What belongs to one connection. */
interface Connection {
  readonly socket: WebSocket;
  readonly queue: OutboundQueue;
  facts: RequestFacts;
  expiry: NodeJS.Timeout | undefined;
}

/** What our own `onSubscribe` hands through graphql-ws to our own `subscribe` and `execute`. */
interface PreparedArgs extends ExecutionArgs {
  readonly run: () => Promise<ExecutionResult> | LiveIterator;
}

/** GraphQL over WebSocket (protocol `graphql-transport-ws`) for one BFF. */
export class WebSocketTransport {
  readonly #options: WebSocketTransportOptions;
  readonly #sockets: WebSocketServer;
  readonly #protocol: Server<Connection>;

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      handleProtocols,
      // Compression per connection costs hundreds of KB and more CPU than all the rest.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
    });
    this.#protocol = makeServer<Record<string, unknown>, Connection>({
      connectionInitWaitTimeout: 5_000,
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, id, payload) => this.#prepare(context, id, payload),
      execute: (args) => (args as PreparedArgs).run(),
      subscribe: (args) => (args as PreparedArgs).run(),
      onError: (_context, _id, _payload, errors) =>
        errors.flatMap((error) => options.server.errors(error)).map((error) => error.toJSON()),
    });
  }

  /** Takes over an upgrade request whose path is this BFF's. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, facts: RequestFacts): void {
    this.#sockets.handleUpgrade(request, socket, head, (opened) =>
      this.#open(opened, socket as Socket, facts),
    );
  }

  get connections(): number {
    return this.#sockets.clients.size;
  }

  /**
   * Asks every client to come back elsewhere, at a random moment of the drain window each, so that they do not come
   * as a herd; waits, bounded, until they are gone. What a connection has queued is written first.
   */
  async stop(): Promise<void> {
    const { drainWindowMs } = this.#options;
    for (const socket of this.#sockets.clients) {
      const close = (): void => socket.close(errorCodes.DRAINING.closeCode, 'DRAINING');
      setTimeout(close, Math.random() * drainWindowMs).unref();
    }
    const gone = new Promise<void>((resolve) => this.#sockets.close(() => resolve()));
    const late = new AbortController();
    await Promise.race([gone, delay(drainWindowMs + CLOSE_GRACE_MS, late.signal).catch(() => undefined)]);
    late.abort();
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  #open(socket: WebSocket, raw: Socket, facts: RequestFacts): void {
    const { metrics, logger } = this.#options;
    const queue = new OutboundQueue({
      socket: raw,
      maxBytes: this.#options.maxQueuedBytes,
      scheduler: this.#options.scheduler,
      onOverflow: () => this.#endSlowConsumer(socket),
    });
    const connection: Connection = { socket, queue, facts, expiry: undefined };
    metrics.connections.set({ transport: 'websocket' }, this.connections);
    const heartbeat = this.#startHeartbeat(socket);
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => queue.message(data),
        close: (code, reason) => {
          queue.flush();
          socket.close(code, reason);
        },
        onPing: (payload) => this.#answerPing(connection, payload),
        onMessage: (handle) => {
          socket.on('message', (data) => {
            handle((data as Buffer).toString()).catch((error: unknown) => this.#crash(socket, error));
          });
        },
      },
      connection,
    );
    socket.on('error', (error) => logger.debug({ err: error }, 'a WebSocket failed'));
    socket.on('close', (code, reason) => {
      clearInterval(heartbeat);
      clearTimeout(connection.expiry);
      metrics.connections.set({ transport: 'websocket' }, this.connections);
      queue.close();
      void closed(code, reason.toString());
    });
  }

  /** It does not read: the close frame waits behind what it has not read, so it is cut off soon after. */
  #endSlowConsumer(socket: WebSocket): void {
    this.#options.metrics.slowConsumers.inc({ transport: 'websocket' });
    socket.close(errorCodes.SLOW_CONSUMER.closeCode, 'SLOW_CONSUMER');
    setTimeout(() => socket.terminate(), CUT_OFF_MS).unref();
  }

  /** A peer that vanished without closing is found by the probe it does not answer. */
  #startHeartbeat(socket: WebSocket): NodeJS.Timeout {
    let alive = true;
    socket.on('pong', () => (alive = true));
    return setInterval(() => {
      if (!alive) return socket.terminate();
      alive = false;
      socket.ping();
    }, this.#options.heartbeatMs);
  }

  async #connect(context: Context<Record<string, unknown>, Connection>): Promise<boolean> {
    const { socket, facts } = context.extra;
    const authorization =
      context.connectionParams?.['authorization'] ?? context.connectionParams?.['Authorization'];
    try {
      if (authorization !== undefined) {
        const viewer = await this.#options.verifier.verify(
          typeof authorization === 'string' ? authorization : 'not a text',
        );
        context.extra.facts = { ...facts, viewer };
      }
      this.#endAtExpiry(context.extra);
      return true;
    } catch (error) {
      const { code } = toTidegateError(error);
      socket.close(errorCodes[code].closeCode, code);
      return false;
    }
  }

  /** A ping may bring a new token (docs/protocol.md, 16); any other is answered with its own payload. */
  async #answerPing(connection: Connection, payload: Record<string, unknown> | undefined): Promise<void> {
    const wish = payload?.['tidegate'] as { authorization?: unknown } | undefined;
    if (typeof wish?.authorization !== 'string') {
      return connection.queue.message(JSON.stringify({ type: 'pong', ...(payload && { payload }) }));
    }
    try {
      const expiresAt = await this.#renew(connection, wish.authorization);
      connection.queue.message(JSON.stringify({ type: 'pong', payload: { tidegate: { expiresAt } } }));
    } catch (error) {
      const { code } = toTidegateError(error);
      connection.socket.close(errorCodes[code].closeCode, code);
    }
  }

  /** @throws TidegateError when the token is not valid, or not the same viewer's. */
  async #renew(connection: Connection, authorization: string): Promise<string | null> {
    const viewer = await this.#options.verifier.verify(authorization);
    const { viewer: before } = connection.facts;
    if (viewer.id !== before.id || viewer.role !== before.role) {
      throw new TidegateError('FORBIDDEN', 'A token is renewed by one of the same subject and role.');
    }
    connection.facts = { ...connection.facts, viewer };
    clearTimeout(connection.expiry);
    this.#endAtExpiry(connection);
    return viewer.expiresAtMs === undefined ? null : new Date(viewer.expiresAtMs).toISOString();
  }

  #endAtExpiry(connection: Connection): void {
    const { expiresAtMs } = connection.facts.viewer;
    if (expiresAtMs === undefined) return;
    // A timer takes at most 2^31 ms; a token that lives longer outlives the connection.
    const delayMs = Math.min(expiresAtMs - Date.now(), 2 ** 31 - 1);
    connection.expiry = setTimeout(() => {
      connection.facts = { ...connection.facts, viewer: anonymous };
      connection.socket.close(errorCodes.TOKEN_EXPIRED.closeCode, 'TOKEN_EXPIRED');
    }, delayMs);
  }

  #prepare(
    context: Context<Record<string, unknown>, Connection>,
    id: string,
    params: OperationParams,
  ): PreparedArgs | readonly import('graphql').GraphQLError[] {
    const { server, maxSubscriptionsPerConnection } = this.#options;
    try {
      if (Object.keys(context.subscriptions).length > maxSubscriptionsPerConnection) {
        throw new TidegateError(
          'TOO_MANY_SUBSCRIPTIONS',
          `A connection holds at most ${maxSubscriptionsPerConnection} operations.`,
        );
      }
      const { facts } = context.extra;
      const run =
        server.operationKind(params) === 'subscription'
          ? this.#subscription(context.extra, id, params)
          : () => server.execute(params, facts);
      return {
        schema: server.schema,
        document: server.document(params),
        operationName: params.operationName,
        contextValue: {},
        run,
      };
    } catch (error) {
      return server.errors(error);
    }
  }

  /** Refuses now, as an error of the operation; subscribes when graphql-ws says so. */
  #subscription(connection: Connection, id: string, params: OperationParams): () => LiveIterator {
    const cursor = params.extensions?.['cursor'];
    const request = this.#options.server.liveRequest(
      params,
      connection.facts,
      typeof cursor === 'string' ? cursor : undefined,
    );
    return () => this.#subscribe(connection, id, request);
  }

  #subscribe(connection: Connection, id: string, request: LiveRequest): LiveIterator {
    const { hub, metrics } = this.#options;
    const iterator = createLiveIterator(() => subscription.stop());
    const sink = createWebSocketSink({
      queue: connection.queue,
      id,
      policy: request.field.overflow,
      metrics,
      onEnd: (error) => {
        subscription.stop();
        if (error && closesConnection(error))
          connection.socket.close(errorCodes[error.code].closeCode, error.code);
        else iterator.end(error);
      },
    });
    const subscription = hub.subscribe(request, sink);
    return iterator;
  }

  #crash(socket: WebSocket, error: unknown): void {
    this.#options.logger.error({ err: error }, 'a WebSocket message could not be handled');
    socket.close(errorCodes.INTERNAL.closeCode, 'INTERNAL');
  }
}

/** Errors that say "come back" close the connection: what is still in its queue would only be lost with it. */
function closesConnection(error: TidegateError): boolean {
  return error.code === 'SLOW_CONSUMER' || error.code === 'DRAINING';
}
