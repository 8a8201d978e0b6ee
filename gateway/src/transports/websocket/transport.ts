import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCodes, toTidegateError, TidegateError } from '@tidegate/core';
import { delay } from '@tidegate/runtime/resilience';
import type { Logger } from '@tidegate/runtime/telemetry';
import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { handleProtocols, makeServer, type Context, type Server } from 'graphql-ws';
import { WebSocketServer, type Server as WebSocketUpgrades } from 'ws';
import { operationBytes } from '../../admission/operation-bytes.ts';
import type { TokenVerifier } from '../../auth/token-verifier.ts';
import { visibleErrors, visibleResult } from '../../graphql/error-codes.ts';
import type { OperationParams } from '../../graphql/operation-params.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { OpenConnections } from '../open-connections.ts';
import { authorizationIn } from './connection-params.ts';
import { ClosingWebSocket } from './closing-web-socket.ts';
import { WebSocketConnection, type WebSocketConnectionOptions } from './connection.ts';
import { WebSocketEncoder } from './encoding.ts';
import { CONNECTION_INIT_TIMEOUT_MS, DRAIN_GRACE_MS, MAX_REFUSED_OPERATIONS } from './limits.ts';
import type { LiveIterator } from './live-iterator.ts';
import { OperationBorder } from './operation-border.ts';
import { prepareSubscription } from './subscription.ts';
import { TokenRenewal } from './token-renewal.ts';

export interface WebSocketTransportOptions extends WebSocketConnectionOptions {
  readonly hub: LiveHub;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
  /** Maximum size of a message from a client, in bytes. */
  readonly maxMessageBytes: number;
  readonly maxSubscriptionsPerConnection: number;
  /** Time over which connections are closed when the process drains, in milliseconds. */
  readonly drainWindowMs: number;
}

/** Arguments that `onSubscribe` passes through graphql-ws to `subscribe` and `execute`. */
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
  readonly #connectionOptions: ConstructorParameters<typeof WebSocketConnection>[3];
  readonly #sockets: WebSocketUpgrades<typeof ClosingWebSocket>;
  readonly #protocol: Server<Extra>;
  readonly #connections = new OpenConnections<WebSocketConnection>();

  constructor(options: WebSocketTransportOptions) {
    this.#options = options;
    this.#connectionOptions = { ...options, encoder: new WebSocketEncoder() };
    this.#sockets = new WebSocketServer<typeof ClosingWebSocket>({
      noServer: true,
      // `#connections` does.
      clientTracking: false,
      WebSocket: ClosingWebSocket,
      handleProtocols,
      // Compression costs hundreds of KB per connection and more CPU than everything else together.
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
    });
    this.#protocol = makeServer<Record<string, unknown>, Extra>({
      connectionInitWaitTimeout: CONNECTION_INIT_TIMEOUT_MS,
      onConnect: (context) => this.#connect(context),
      onSubscribe: (context, key, payload) => this.#prepare(context, key, payload),
      execute: (args) => (args as PreparedArgs).run(),
      subscribe: (args) => (args as PreparedArgs).run(),
      onNext: (_context, _key, _payload, _args, result) => visibleResult(result as ExecutionResult),
      onError: (_context, _key, _payload, errors) =>
        visibleErrors(errors.flatMap((error) => options.server.errors(error))),
    });
  }

  /** Handles an upgrade request for the path of this BFF. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, facts: EdgeFacts): void {
    const options = this.#connectionOptions;
    this.#sockets.handleUpgrade(request, socket, head, (opened) =>
      this.#open(opened, new WebSocketConnection(opened, socket as Socket, facts, options)),
    );
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Asks every client to reconnect elsewhere, each at a random moment of the drain window, after its queued messages
   * are written. Resolves when all connections are closed. Terminates the remaining ones after the window and a grace
   * period.
   */
  async stop(): Promise<void> {
    const { drainWindowMs } = this.#options;
    this.#sockets.close();
    const late = new AbortController();
    await Promise.race([
      this.#connections.leaveAll(drainWindowMs),
      delay(drainWindowMs + DRAIN_GRACE_MS, late.signal).catch(() => undefined),
    ]);
    late.abort();
    for (const { socket } of this.#connections) socket.terminate();
  }

  #open(socket: ClosingWebSocket, connection: WebSocketConnection): void {
    const { logger, metrics } = this.#options;
    this.#connections.add(connection);
    metrics.connections.inc({ transport: 'websocket' });
    const border = new OperationBorder(connection);
    const renewal = new TokenRenewal(connection, this.#options.verifier);
    const closed = this.#protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => border.send(data),
        close: (code, reason) => connection.closeWith(code, reason),
        onPing: (payload) => renewal.answerPing(payload),
        onMessage: (handle) => {
          socket.on('message', (data, isBinary) => {
            if (isBinary) return connection.closeWith(errorCodes.BAD_REQUEST.closeCode, 'Send text frames');
            border
              .receive((data as Buffer).toString(), handle)
              ?.catch((error: unknown) => this.#crash(connection, error));
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

  async #connect(context: ConnectionContext): Promise<boolean> {
    const { connection } = context.extra;
    try {
      const authorization = authorizationIn(context.connectionParams);
      // Nobody reads them again, and the token would stay in memory as long as the connection.
      Object.assign(context, { connectionParams: undefined });
      connection.identify(
        authorization === undefined
          ? connection.facts.viewer
          : await this.#options.verifier.verify(authorization),
      );
      return true;
    } catch (error) {
      connection.close(toTidegateError(error).code);
      return false;
    }
  }

  async #prepare(
    context: ConnectionContext,
    key: string,
    params: OperationParams,
  ): Promise<PreparedArgs | readonly GraphQLError[]> {
    const { server, maxSubscriptionsPerConnection, guards } = this.#options;
    const { connection } = context.extra;
    const { operations } = connection;
    const operation = operations.ofKey(key)!;
    try {
      if (operations.size > maxSubscriptionsPerConnection) {
        throw new TidegateError(
          'TOO_MANY_SUBSCRIPTIONS',
          `A connection holds at most ${maxSubscriptionsPerConnection} operations.`,
        );
      }
      const { viewer, address } = connection.facts;
      const { refusal } = await guards.rates.charge(viewer, address, server.costOf(params));
      if (operation.ended) return [UNWANTED];
      if (refusal) throw refusal;
      const { facts } = connection;
      const kind = server.operationKind(params);
      const document = server.document(params);
      const bytes = operationBytes(params, document, operation.id);
      operation.releaseBytes = guards.admission.admitBytes(connection.bytes, address, bytes);
      return {
        schema: server.schema,
        document,
        operationName: params.operationName || undefined,
        contextValue: {},
        run:
          kind === 'subscription'
            ? prepareSubscription(connection, operation, params, this.#options)
            : () =>
                operations.execute(operation, (signal) =>
                  server.execute(params, facts, abortable(kind, signal)),
                ),
      };
    } catch (error) {
      this.#countRefusal(context);
      return server.errors(error);
    }
  }

  #countRefusal({ extra }: ConnectionContext): void {
    extra.refusals += 1;
    if (extra.refusals > MAX_REFUSED_OPERATIONS) extra.connection.cutOff('TOO_MANY_SUBSCRIPTIONS');
  }

  #crash(connection: WebSocketConnection, error: unknown): void {
    this.#options.logger.error({ err: error }, 'a WebSocket message could not be handled');
    connection.close('INTERNAL');
  }
}

/** Result of an operation that ended before it was prepared; graphql-ws drops it. */
const UNWANTED = new GraphQLError('The operation has ended.');

/** A mutation that has begun is not aborted: its client could not tell how much of it was done. */
function abortable(kind: 'query' | 'mutation', signal: AbortSignal): AbortSignal | undefined {
  return kind === 'query' ? signal : undefined;
}
