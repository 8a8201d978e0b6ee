import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCodes, toTidegateError, TidegateError } from '@tidegate/core';
import { delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { ExecutionArgs, ExecutionResult, GraphQLError } from 'graphql';
import { handleProtocols, makeServer, type Context, type Server } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import type { OperationParams } from '../../graphql/document-cache.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import type { LiveHub } from '../../live/hub.ts';
import { createSubscription } from './subscription.ts';
import type { LiveIterator } from './live-iterator.ts';
import { WebSocketConnection, type WebSocketConnectionOptions } from './connection.ts';

export interface WebSocketTransportOptions extends WebSocketConnectionOptions {
  readonly hub: LiveHub;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
  /** Largest message a client may send. */
  readonly maxMessageBytes: number;
  readonly maxSubscriptionsPerConnection: number;
  /** Over how long connections are closed when the process drains. */
  readonly drainWindowMs: number;
}

/** How long clients have to answer the last close frame of a drain. */
const CLOSE_GRACE_MS = 1_000;
/** A connection that goes on subscribing after it was refused so often does nothing else. */
const MAX_REFUSALS = 1_000;

/** What our own `onSubscribe` hands through graphql-ws to our own `subscribe` and `execute`. */
interface PreparedArgs extends ExecutionArgs {
  readonly run: () => Promise<ExecutionResult> | LiveIterator;
}

interface Extra {
  readonly connection: WebSocketConnection;
  refusals: number;
}

type ConnectionContext = Context<Record<string, unknown>, Extra>;

/** GraphQL over WebSocket (protocol `graphql-transport-ws`) for one BFF. */
export class WebSocketTransport {
  readonly #options: WebSocketTransportOptions;
  readonly #sockets: WebSocketServer;
  readonly #protocol: Server<Extra>;
  readonly #connections = new Set<WebSocketConnection>();

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer({
      noServer: true,
      handleProtocols,
      // Compression per connection costs hundreds of KB and more CPU than all the rest.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
    });
    this.#protocol = makeServer<Record<string, unknown>, Extra>({
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
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, facts: EdgeFacts): void {
    this.#sockets.handleUpgrade(request, socket, head, (opened) =>
      this.#open(opened, new WebSocketConnection(opened, socket as Socket, facts, this.#options)),
    );
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Asks every client to come back elsewhere, at a random moment of the drain window each, so that they do not come
   * as a herd; waits, bounded, until they are gone. What a connection has queued is written first.
   */
  async stop(): Promise<void> {
    const { drainWindowMs } = this.#options;
    for (const connection of this.#connections) {
      setTimeout(() => void connection.leave(), Math.random() * drainWindowMs).unref();
    }
    const gone = new Promise<void>((resolve) => this.#sockets.close(() => resolve()));
    const late = new AbortController();
    await Promise.race([gone, delay(drainWindowMs + CLOSE_GRACE_MS, late.signal).catch(() => undefined)]);
    late.abort();
    for (const { socket } of this.#connections) socket.terminate();
  }

  #open(socket: WebSocket, connection: WebSocketConnection): void {
    const { logger, metrics } = this.#options;
    this.#connections.add(connection);
    metrics.connections.inc({ transport: 'websocket' });
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => connection.queue.message(data),
        close: (code, reason) => connection.closeWith(code, reason),
        onPing: (payload) => this.#answerPing(connection, payload),
        onMessage: (handle) => {
          socket.on('message', (data, isBinary) => {
            if (isBinary) return connection.closeWith(errorCodes.BAD_REQUEST.closeCode, 'Send text frames');
            handle((data as Buffer).toString()).catch((error: unknown) => this.#crash(connection, error));
          });
        },
      },
      { connection, refusals: 0 },
    );
    socket.on('error', (error) => logger.debug({ err: error }, 'a WebSocket failed'));
    socket.on('close', (code, reason) => {
      this.#connections.delete(connection);
      metrics.connections.dec({ transport: 'websocket' });
      void closed(code, reason.toString());
    });
  }

  async #connect({ connectionParams, extra: { connection } }: ConnectionContext): Promise<boolean> {
    const authorization = connectionParams?.['authorization'] ?? connectionParams?.['Authorization'];
    try {
      connection.identify(
        authorization === undefined
          ? connection.facts.viewer
          : await this.#options.verifier.verify(
              typeof authorization === 'string' ? authorization : 'not a text',
            ),
      );
      return true;
    } catch (error) {
      connection.close(toTidegateError(error).code);
      return false;
    }
  }

  /** A ping may bring a new token (docs/protocol.md, 16); any other is answered with its own payload. */
  async #answerPing(
    connection: WebSocketConnection,
    payload: Record<string, unknown> | undefined,
  ): Promise<void> {
    const wish = payload?.['tidegate'] as { authorization?: unknown } | undefined;
    if (typeof wish?.authorization !== 'string') {
      return connection.queue.message(JSON.stringify({ type: 'pong', ...(payload && { payload }) }));
    }
    try {
      const endsAtMs = connection.renew(await this.#options.verifier.verify(wish.authorization));
      const expiresAt = endsAtMs === undefined ? null : new Date(endsAtMs).toISOString();
      connection.queue.message(JSON.stringify({ type: 'pong', payload: { tidegate: { expiresAt } } }));
    } catch (error) {
      connection.close(toTidegateError(error).code);
    }
  }

  #prepare(
    context: ConnectionContext,
    id: string,
    params: OperationParams,
  ): PreparedArgs | readonly GraphQLError[] {
    const { server, maxSubscriptionsPerConnection } = this.#options;
    const { connection } = context.extra;
    try {
      if (Object.keys(context.subscriptions).length > maxSubscriptionsPerConnection) {
        throw new TidegateError(
          'TOO_MANY_SUBSCRIPTIONS',
          `A connection holds at most ${maxSubscriptionsPerConnection} operations.`,
        );
      }
      const { facts } = connection;
      const kind = server.operationKind(params);
      return {
        schema: server.schema,
        document: server.document(params),
        operationName: params.operationName,
        contextValue: {},
        run:
          kind === 'subscription'
            ? createSubscription(connection, id, params, this.#options)
            : () => server.execute(params, facts),
      };
    } catch (error) {
      this.#countRefusal(context);
      return server.errors(error);
    }
  }

  #countRefusal({ extra }: ConnectionContext): void {
    extra.refusals += 1;
    if (extra.refusals > MAX_REFUSALS) extra.connection.cutOff('TOO_MANY_SUBSCRIPTIONS');
  }

  #crash(connection: WebSocketConnection, error: unknown): void {
    this.#options.logger.error({ err: error }, 'a WebSocket message could not be handled');
    connection.close('INTERNAL');
  }
}
