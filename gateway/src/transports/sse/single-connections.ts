import type { ServerResponse } from 'node:http';
import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/errors';
import type { RequestFacts } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/document-cache.ts';
import { OperationEvents } from './event-encoding.ts';
import { Reservations, type Reservation } from './reservations.ts';
import { createOperationSink } from './sse-sink.ts';
import { extensionsCursor, parseOperationId } from './sse-request.ts';
import type { SseStream } from './sse-stream.ts';
import type { SseTransportOptions } from './sse-transport.ts';
import { visibleErrors } from './visible-errors.ts';

const MAX_RESERVATIONS = 10_000;
const RESERVATION_TTL_MS = 10_000;

/**
 * "Single connection mode" of the GraphQL over SSE protocol: a stream is reserved, then opened once, and operations
 * are started and stopped by requests of their own that name its token.
 */
export class SingleConnections {
  readonly #options: SseTransportOptions;
  readonly #reservations: Reservations;

  constructor(options: SseTransportOptions) {
    this.#options = options;
    this.#reservations = new Reservations({
      maxReservations: options.maxReservations ?? MAX_RESERVATIONS,
      ttlMs: options.reservationTtlMs ?? RESERVATION_TTL_MS,
    });
  }

  /** Answers 201 with the token. @throws TidegateError RATE_LIMITED, TOO_MANY_SUBSCRIPTIONS */
  reserve(viewer: Viewer, create: (onEnd: () => void) => SseStream, response: ServerResponse): void {
    const token = this.#reservations.add(viewer, create);
    // No cache may hand the same token to a second client.
    response.writeHead(201, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    response.end(token);
  }

  /** @throws TidegateError NOT_FOUND, CONFLICT */
  open(token: string, viewer: Viewer, response: ServerResponse): void {
    this.#reservations.open(token, viewer, response);
  }

  /**
   * Starts an operation and answers 202: its results go to the stream.
   *
   * @throws TidegateError NOT_FOUND (token), BAD_REQUEST (id), CONFLICT (id in use), TOO_MANY_SUBSCRIPTIONS, and what
   * is wrong with the document.
   */
  start(token: string, facts: RequestFacts, params: OperationParams, response: ServerResponse): void {
    const reservation = this.#reservations.find(token, facts.viewer);
    const id = parseOperationId(params.extensions?.['operationId']);
    this.#requireRoom(reservation, id);
    if (this.#options.server.operationKind(params) === 'subscription') {
      this.#subscribe(reservation, id, params, facts);
    } else {
      void this.#execute(reservation, id, params, facts);
    }
    response.writeHead(202).end();
  }

  /** Ends an operation and answers 200, also when it has just ended by itself. @throws TidegateError NOT_FOUND, BAD_REQUEST */
  stop(token: string, viewer: Viewer, operationId: string | null, response: ServerResponse): void {
    const { operations } = this.#reservations.find(token, viewer);
    const id = parseOperationId(operationId);
    operations.get(id)?.();
    operations.delete(id);
    response.writeHead(200).end();
  }

  #requireRoom({ operations }: Reservation, id: string): void {
    const most = this.#options.maxSubscriptionsPerConnection;
    if (operations.has(id)) {
      throw new TidegateError('CONFLICT', 'There is an operation of this id on the stream already.');
    }
    if (operations.size >= most) {
      throw new TidegateError('TOO_MANY_SUBSCRIPTIONS', `At most ${most} operations on one event stream.`);
    }
  }

  #subscribe(reservation: Reservation, id: string, params: OperationParams, facts: RequestFacts): void {
    const { hub, metrics, server } = this.#options;
    const live = server.liveRequest(params, facts, extensionsCursor(params));
    const { operations, stream } = reservation;
    const ended = new AbortController();
    const end = (): void => ended.abort();
    operations.set(id, end);
    const onEnd = (): void => {
      // The id may have been stopped and used again.
      if (operations.get(id) === end) operations.delete(id);
    };
    const events = new OperationEvents(id);
    const sink = createOperationSink(stream, events, live.field.overflow, metrics, onEnd);
    const subscription = hub.subscribe(live, sink);
    if (ended.signal.aborted) subscription.stop();
    else ended.signal.addEventListener('abort', () => subscription.stop(), { once: true });
  }

  async #execute(
    reservation: Reservation,
    id: string,
    params: OperationParams,
    facts: RequestFacts,
  ): Promise<void> {
    const { operations, stream } = reservation;
    const stop = (): void => undefined;
    operations.set(id, stop);
    const { errors, ...result } = await this.#options.server.execute(params, facts);
    // Stopped: nobody waits for the answer any more.
    if (operations.get(id) !== stop) return;
    operations.delete(id);
    const events = new OperationEvents(id);
    stream.write(...events.result(errors ? { ...result, errors: visibleErrors(errors) as never } : result));
    stream.write(events.complete());
  }
}
