import type { IncomingMessage, ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { GraphQLError } from 'graphql';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/document-cache.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LiveMetrics } from '../../live/metrics.ts';
import type { Heartbeats } from '../heartbeats.ts';
import type { FlushScheduler } from '../outbound/flush-scheduler.ts';
import { COMPLETE, encodeResultEvent } from './encoding.ts';
import { OpenStreams, type OpenStreamsOptions } from './open-connections.ts';
import { SingleConnections } from './single-connection-mode.ts';
import { createDistinctSink } from './sink.ts';
import { cursorOf, searchParams, streamTokenOf, wantsEventStream } from './request.ts';
import { SseStream } from './connection.ts';
import { visibleErrors } from './visible-errors.ts';

export interface SseTransportOptions extends OpenStreamsOptions {
  readonly server: BffServer;
  readonly hub: LiveHub;
  readonly metrics: LiveMetrics;
  /** Decides when streams write what they have queued; shared with the other transports of the process. */
  readonly scheduler: FlushScheduler;
  /** What may wait in one stream's outbound queue. */
  readonly maxQueuedBytes: number;
  /** One for all connections of the process. */
  readonly heartbeats: Heartbeats;
  /** Most operations on one stream of single connection mode. */
  readonly maxSubscriptionsPerConnection: number;
  /** Most reservations of all viewers. Default 10,000. */
  readonly maxReservations?: number;
  /** How long a reservation waits for its stream. Default 10 s. */
  readonly reservationTtlMs?: number;
}

/**
 * GraphQL over Server-Sent Events for one BFF, both modes of the protocol
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), and plain EventSource by GET.
 */
export class SseTransport {
  readonly #options: SseTransportOptions;
  readonly #streams: OpenStreams;
  readonly #single: SingleConnections;
  #draining = false;

  constructor(options: SseTransportOptions) {
    this.#options = options;
    this.#streams = new OpenStreams(options);
    this.#single = new SingleConnections(options);
  }

  /** Whether a request is this transport's business and not that of GraphQL over HTTP. */
  takes(request: IncomingMessage): boolean {
    const { method } = request;
    if (method === 'PUT' || method === 'DELETE') return true;
    return wantsEventStream(request) || (method !== 'OPTIONS' && streamTokenOf(request) !== undefined);
  }

  /**
   * @param readParams reads the operation from the query string or the body.
   * @throws TidegateError or GraphQLErrors to be answered as HTTP, before anything was written.
   */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    readParams: () => Promise<OperationParams>,
  ): Promise<void> {
    // An EventSource gives up on any status but 200, and comes back after a connection that broke.
    if (this.#draining) return void response.destroy();
    const token = streamTokenOf(request);
    const { viewer } = facts;
    if (request.method === 'PUT') return this.#reserve(response, facts);
    if (request.method === 'DELETE') {
      return this.#single.stop(required(token), viewer, searchParams(request).get('operationId'), response);
    }
    const opens = wantsEventStream(request);
    refuseOtherMethods(request, response, opens && token !== undefined ? ['GET'] : ['GET', 'POST']);
    if (token !== undefined && opens) return this.#single.open(token, viewer, response);
    const params = await readParams();
    if (token === undefined) return this.#serveDistinct(request, response, facts, params);
    this.#refuseMutationByGet(request, response, params);
    this.#single.start(token, facts, params, response);
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Takes no more streams and cuts those it has, spread over the window; resolves when none is left. */
  stop(windowMs = 0): Promise<void> {
    this.#draining = true;
    return this.#streams.leaveAll(windowMs);
  }

  #reserve(response: ServerResponse, facts: EdgeFacts): void {
    this.#single.reserve(
      facts.viewer,
      (onEnd) =>
        this.#streams.admit(facts, (release) =>
          this.#createStream(() => {
            release();
            onEnd();
          }),
        ),
      response,
    );
  }

  /** What is wrong with the operation is said on the stream: EventSource shows nobody the body of a refusal. */
  async #serveDistinct(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    params: OperationParams,
  ): Promise<void> {
    const { server } = this.#options;
    let kind: 'query' | 'mutation' | 'subscription';
    try {
      this.#refuseMutationByGet(request, response, params);
      kind = server.operationKind(params);
      if (kind === 'subscription') return this.#subscribe(request, response, facts, params);
    } catch (error) {
      if (error instanceof TidegateError && NOT_ON_THE_STREAM.has(error.code)) throw error;
      return this.#answer(response, facts, { errors: server.errors(error) });
    }
    this.#answer(response, facts, await server.execute(params, facts));
  }

  #subscribe(
    request: IncomingMessage,
    response: ServerResponse,
    facts: EdgeFacts,
    params: OperationParams,
  ): void {
    const { hub, metrics, server } = this.#options;
    const live = server.liveRequest(params, facts, cursorOf(request, params));
    let ended = false;
    let stop = (): void => undefined;
    const { stream } = this.#admitSubscriber(facts, () => {
      ended = true;
      stop();
    });
    stream.expireAt(facts.viewer.expiresAtMs ?? Infinity);
    stream.attach(response);
    const subscription = hub.subscribe(live, createDistinctSink(stream, live.field.overflow, metrics));
    stop = () => subscription.stop();
    if (ended) stop();
  }

  /** @throws TidegateError TOO_MANY_SUBSCRIPTIONS, TOO_MANY_CONNECTIONS */
  #admitSubscriber(facts: EdgeFacts, onEnd: () => void): { stream: SseStream } {
    const releaseSubscription = this.#options.guards.admission.subscription(facts);
    try {
      return this.#streams.admit(facts, (release) =>
        this.#createStream(() => {
          release();
          releaseSubscription();
          onEnd();
        }),
      );
    } catch (error) {
      releaseSubscription();
      throw error;
    }
  }

  /** One result as an event stream of its own. */
  #answer(
    response: ServerResponse,
    facts: EdgeFacts,
    { errors, ...result }: { errors?: readonly GraphQLError[] | undefined; data?: unknown },
  ): void {
    const { stream } = this.#streams.admit(facts, (release) => this.#createStream(release));
    stream.attach(response);
    stream.write(
      encodeResultEvent((errors ? { ...result, errors: visibleErrors(errors) } : result) as never),
      COMPLETE,
    );
    stream.complete();
  }

  #createStream(onEnd: () => void): SseStream {
    const { heartbeats, maxQueuedBytes, metrics, scheduler } = this.#options;
    return new SseStream({ heartbeats, maxQueuedBytes, metrics, scheduler, onEnd });
  }

  #refuseMutationByGet(request: IncomingMessage, response: ServerResponse, params: OperationParams): void {
    if (request.method !== 'GET' || this.#options.server.operationKind(params) !== 'mutation') return;
    refuseOtherMethods(request, response, ['POST']);
  }
}

/** Of the request and not of the operation: answered with their HTTP status. */
const NOT_ON_THE_STREAM: ReadonlySet<string> = new Set([
  'METHOD_NOT_ALLOWED',
  'TOO_MANY_CONNECTIONS',
  'TOO_MANY_SUBSCRIPTIONS',
]);

function required(token: string | undefined): string {
  if (token !== undefined) return token;
  throw new TidegateError('BAD_REQUEST', 'Name the event stream in x-graphql-event-stream-token.');
}

/** @throws TidegateError METHOD_NOT_ALLOWED, with the methods that are in `Allow`. */
function refuseOtherMethods(
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  if (methods.includes(request.method ?? '')) return;
  response.setHeader('allow', methods.join(', '));
  throw new TidegateError('METHOD_NOT_ALLOWED', `This is asked by ${methods.join(' or ')}.`);
}
