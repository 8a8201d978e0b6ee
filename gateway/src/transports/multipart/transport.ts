import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import { cursorOf } from '../../graphql/operation-params.ts';
import { hasLeft } from '../departed-client.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { acceptedJson, acceptsMultipart, notAcceptable } from '../http/accept.ts';
import { requireMethod } from '../http/request.ts';
import { OpenConnections } from '../open-connections.ts';
import type { RequestSteps } from '../request-steps.ts';
import { StreamConnection } from '../response-stream/connection.ts';
import { streamSubscription, type StreamOptions } from '../response-stream/subscription.ts';
import { MultipartMessages, multipartStream } from './encoding.ts';

export type MultipartTransportOptions = Omit<StreamOptions, 'connect'>;

/** Subscriptions by Apollo's multipart protocol for one BFF: one subscription for each request. */
export class MultipartTransport {
  readonly #options: MultipartTransportOptions;
  readonly #connections = new OpenConnections<StreamConnection>();
  readonly #messages = new MultipartMessages();
  #draining = false;

  constructor(options: MultipartTransportOptions) {
    this.#options = options;
  }

  /** True for a subscription of this protocol. Its clients accept JSON too, and get it for other operations and errors. */
  async accepts(request: IncomingMessage, { readParams }: RequestSteps): Promise<boolean> {
    if (!acceptsMultipart(request)) return false;
    if (!acceptedJson(request)) return true;
    try {
      return this.#options.server.operationKind(await readParams()) === 'subscription';
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
    { readParams, charge }: RequestSteps,
  ): Promise<void> {
    requireMethod(request, response, ['GET', 'POST']);
    const params = await readParams();
    await charge(params);
    if (hasLeft(request, response)) return;
    if (this.#draining) throw new TidegateError('DRAINING', 'This server closes: connect again.');
    if (this.#options.server.operationKind(params) !== 'subscription') throw notAcceptable();
    const connect = (of: EdgeFacts, onEnd: () => void): StreamConnection => this.#connect(of, onEnd);
    const subscription = { facts, params, cursor: cursorOf(params), messages: this.#messages };
    streamSubscription(subscription, response, { ...this.#options, connect });
  }

  /** Number of open streams. */
  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Takes no more streams and ends the open ones, each at a random moment of the window, after its queued messages are
   * written. Resolves when none is left.
   */
  async stop(windowMs = 0): Promise<void> {
    this.#draining = true;
    if (windowMs > 0) return this.#connections.leaveAll(windowMs);
    for (const connection of [...this.#connections]) connection.cut();
  }

  /** @throws TidegateError TOO_MANY_CONNECTIONS */
  #connect(facts: EdgeFacts, onEnd: () => void): StreamConnection {
    const connection = new StreamConnection(facts, { ...this.#options, format: multipartStream }, () => {
      this.#connections.delete(connection);
      onEnd();
    });
    this.#connections.add(connection);
    return connection;
  }
}
