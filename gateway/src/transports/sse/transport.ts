import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { OperationParams } from '../../graphql/operation-params.ts';
import { hasLeft } from '../departed-client.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { searchParamsOf, wantsEventStream } from '../http/request.ts';
import { OpenConnections } from '../open-connections.ts';
import { SseConnection } from './connection.ts';
import { DistinctConnectionsMode } from './distinct-connections-mode.ts';
import { requireMethod, resumeCursorOf, streamTokenOf } from './request.ts';
import { SingleConnectionMode, type SingleConnectionModeOptions } from './single-connection-mode.ts';

export type SseTransportOptions = Omit<SingleConnectionModeOptions, 'connect'>;

/** Steps of a request that the transport takes when it needs them. */
export interface SseRequestSteps {
  /** Reads the operation from the query string or the body. */
  readonly readParams: () => Promise<OperationParams>;
  /** Charges the operation to its viewer and address. @throws TidegateError RATE_LIMITED */
  readonly charge: () => Promise<void>;
}

/**
 * GraphQL over Server-Sent Events for one BFF, both modes of the protocol
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), and plain EventSource by GET.
 */
export class SseTransport {
  readonly #options: SseTransportOptions;
  readonly #connections = new OpenConnections<SseConnection>();
  readonly #distinct: DistinctConnectionsMode;
  readonly #single: SingleConnectionMode;
  #draining = false;

  constructor(options: SseTransportOptions) {
    this.#options = options;
    const connect = (facts: EdgeFacts, onEnd: () => void): SseConnection => this.#connect(facts, onEnd);
    this.#distinct = new DistinctConnectionsMode({ ...options, connect });
    this.#single = new SingleConnectionMode({ ...options, connect });
  }

  /** True for a request of this protocol; others are GraphQL over HTTP. */
  accepts(request: IncomingMessage): boolean {
    const { method } = request;
    if (method === 'PUT' || method === 'DELETE') return true;
    return wantsEventStream(request) || (method !== 'OPTIONS' && streamTokenOf(request) !== undefined);
  }

  /**
   * @throws TidegateError or GraphQLErrors, before the response begins.
   */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    steps: SseRequestSteps,
  ): Promise<void> {
    if (!this.#takes(request, response)) return;
    const charge = async (): Promise<void> => {
      await steps.charge();
      if (!this.#takes(request, response)) response.destroy();
    };
    const token = streamTokenOf(request);
    const { viewer } = facts;
    if (request.method === 'PUT') {
      await charge();
      return response.destroyed ? undefined : this.#single.reserve(facts, response);
    }
    if (request.method === 'DELETE') {
      const operationId = searchParamsOf(request).get('operationId');
      return this.#single.stop(requireToken(token), viewer, operationId, response);
    }
    const opens = wantsEventStream(request);
    requireMethod(request, response, opens && token !== undefined ? ['GET'] : ['GET', 'POST']);
    if (token !== undefined && opens) return this.#single.open(token, viewer, response);
    const params = await steps.readParams();
    if (!this.#takes(request, response)) return;
    const requirePost = (): void => this.#requirePostForMutation(request, response, params);
    if (token === undefined) {
      const cursor = resumeCursorOf(request, params);
      return this.#distinct.serve({ facts, params, cursor, charge, requireMethod: requirePost }, response);
    }
    await charge();
    if (response.destroyed) return;
    requirePost();
    this.#single.start(token, facts, params, response);
  }

  /** Number of open and reserved streams. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Takes no more streams and cuts the open ones, each at a random moment of the window, after its queued messages
   * are written. Resolves when none is left.
   */
  async stop(windowMs = 0): Promise<void> {
    this.#draining = true;
    if (windowMs > 0) return this.#connections.leaveAll(windowMs);
    for (const connection of [...this.#connections]) connection.cut();
  }

  /** Returns false when the client has left, or after cutting a request that arrives while the process drains. */
  #takes(request: IncomingMessage, response: ServerResponse): boolean {
    // EventSource gives up after any status but 200, and reconnects after a broken connection.
    if (this.#draining) response.destroy();
    return !hasLeft(request, response);
  }

  /** @throws TidegateError TOO_MANY_CONNECTIONS */
  #connect(facts: EdgeFacts, onEnd: () => void): SseConnection {
    const connection = new SseConnection(facts, this.#options, () => {
      this.#connections.delete(connection);
      onEnd();
    });
    this.#connections.add(connection);
    return connection;
  }

  #requirePostForMutation(request: IncomingMessage, response: ServerResponse, params: OperationParams): void {
    if (request.method !== 'GET' || this.#options.server.operationKind(params) !== 'mutation') return;
    requireMethod(request, response, ['POST']);
  }
}

/** @throws TidegateError BAD_REQUEST when the request names no event stream. */
function requireToken(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new TidegateError('BAD_REQUEST', 'Name the event stream in x-graphql-event-stream-token.');
}
