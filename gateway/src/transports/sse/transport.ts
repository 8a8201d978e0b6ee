import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { OperationParams } from '../../graphql/operation-params.ts';
import { hasLeft } from '../departed-client.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { acceptedJson, acceptsEventStream } from '../http/accept.ts';
import { requireMethod, searchParamsOf } from '../http/request.ts';
import type { RequestSteps } from '../request-steps.ts';
import { OpenConnections } from '../open-connections.ts';
import { StreamConnection } from '../response-stream/connection.ts';
import { DistinctConnectionsMode } from './distinct-connections-mode.ts';
import { eventStream } from './encoding.ts';
import { resumeCursorOf, streamTokenOf } from './request.ts';
import { SingleConnectionMode, type SingleConnectionModeOptions } from './single-connection-mode.ts';

export type SseTransportOptions = Omit<SingleConnectionModeOptions, 'connect'>;

/**
 * GraphQL over Server-Sent Events for one BFF, both modes of the protocol
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), and plain EventSource by GET.
 */
export class SseTransport {
  readonly #options: SseTransportOptions;
  readonly #connections = new OpenConnections<StreamConnection>();
  readonly #distinct: DistinctConnectionsMode;
  readonly #single: SingleConnectionMode;
  #draining = false;

  constructor(options: SseTransportOptions) {
    this.#options = options;
    const connect = (facts: EdgeFacts, onEnd: () => void): StreamConnection => this.#connect(facts, onEnd);
    this.#distinct = new DistinctConnectionsMode({ ...options, connect });
    this.#single = new SingleConnectionMode({ ...options, connect });
  }

  /**
   * True for a request of this protocol; others are GraphQL over HTTP. A client that accepts both gets subscriptions as
   * a stream, and queries and mutations as JSON.
   */
  async accepts(request: IncomingMessage, { readParams }: RequestSteps): Promise<boolean> {
    const { method = '' } = request;
    if (method === 'PUT' || method === 'DELETE' || streamTokenOf(request) !== undefined) return true;
    if (!acceptsEventStream(request)) return false;
    if (!acceptedJson(request) || !['GET', 'POST'].includes(method)) return true;
    const params = await readParams();
    try {
      return this.#options.server.operationKind(params) === 'subscription';
    } catch {
      return false;
    }
  }

  /**
   * @throws TidegateError or GraphQLErrors, before the response begins.
   */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    steps: RequestSteps,
  ): Promise<void> {
    if (!this.#takes(request, response)) return;
    const charge = async (operation?: OperationParams): Promise<void> => {
      await steps.charge(operation);
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
    const opens = acceptsEventStream(request);
    requireMethod(request, response, opens && token !== undefined ? ['GET'] : ['GET', 'POST']);
    if (token !== undefined && opens) return this.#single.open(token, viewer, response);
    const params = await steps.readParams();
    if (!this.#takes(request, response)) return;
    const requirePost = (): void => this.#requirePostForMutation(request, response, params);
    if (token === undefined) {
      const cursor = (): string | undefined => resumeCursorOf(request, params);
      const chargeIt = (): Promise<void> => charge(params);
      return this.#distinct.serve(
        { facts, params, cursor, charge: chargeIt, requireMethod: requirePost },
        response,
      );
    }
    await charge(params);
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
  #connect(facts: EdgeFacts, onEnd: () => void): StreamConnection {
    const connection = new StreamConnection(facts, { ...this.#options, format: eventStream }, () => {
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
