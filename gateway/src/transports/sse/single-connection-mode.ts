import type { ServerResponse } from 'node:http';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import { TidegateError, toTidegateError } from '@tidegate/core';
import type { OperationParams } from '../../graphql/document-cache.ts';
import type { ConnectionHold } from '../../admission/connection-hold.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import type { LiveSubscription } from '../../live/live-request.ts';
import { OperationEvents } from './encoding.ts';
import { Reservations, type Reservation, type StreamOperation } from './reservations.ts';
import { createOperationSink } from './sink.ts';
import { extensionsCursor, parseOperationId } from './request.ts';
import type { SseStream } from './connection.ts';
import type { SseTransportOptions } from './transport.ts';
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

  /** Answers 201 with the token. @throws TidegateError RATE_LIMITED, TOO_MANY_CONNECTIONS */
  reserve(
    viewer: VerifiedViewer,
    create: (onEnd: () => void) => { stream: SseStream; hold: ConnectionHold },
    response: ServerResponse,
  ): void {
    const token = this.#reservations.add(viewer, create);
    // No cache may hand the same token to a second client.
    response.writeHead(201, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    response.end(token);
  }

  /** @throws TidegateError NOT_FOUND, CONFLICT */
  open(token: string, viewer: VerifiedViewer, response: ServerResponse): void {
    this.#reservations.open(token, viewer, response);
  }

  /**
   * Starts an operation and answers 202: its results go to the stream.
   *
   * @throws TidegateError NOT_FOUND (token), BAD_REQUEST (id), CONFLICT (id in use), TOO_MANY_SUBSCRIPTIONS, and what
   * is wrong with the document.
   */
  start(token: string, facts: EdgeFacts, params: OperationParams, response: ServerResponse): void {
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
  stop(token: string, viewer: VerifiedViewer, operationId: string | null, response: ServerResponse): void {
    const { operations } = this.#reservations.find(token, viewer);
    const id = parseOperationId(operationId);
    operations.get(id)?.stop();
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

  #subscribe(reservation: Reservation, id: string, params: OperationParams, facts: EdgeFacts): void {
    const { hub, metrics, server, guards } = this.#options;
    const request = server.liveRequest(params, facts, extensionsCursor(params));
    const release = guards.admission.subscription(facts);
    const { operations, stream } = reservation;
    let live: LiveSubscription | undefined;
    const operation: StreamOperation = {
      stop: () => {
        live?.stop();
        release();
      },
      authoriseAnew: (viewer) => {
        try {
          live?.renew(request.forViewer(viewer));
        } catch (error) {
          live?.stop();
          sink.fail(toTidegateError(error));
        }
      },
    };
    operations.set(id, operation);
    const onEnd = (): void => {
      // The id may have been stopped and used again.
      if (operations.get(id) === operation) operations.delete(id);
      release();
    };
    const events = new OperationEvents(id);
    const sink = createOperationSink(stream, events, request.field.overflow, metrics, onEnd);
    live = hub.subscribe(request, sink);
    // It may have ended at once.
    if (operations.get(id) !== operation) operation.stop();
  }

  async #execute(
    reservation: Reservation,
    id: string,
    params: OperationParams,
    facts: EdgeFacts,
  ): Promise<void> {
    const { operations, stream } = reservation;
    const operation: StreamOperation = { stop: () => undefined };
    operations.set(id, operation);
    const { errors, ...result } = await this.#options.server.execute(params, facts);
    // Stopped: nobody waits for the answer any more.
    if (operations.get(id) !== operation) return;
    operations.delete(id);
    const events = new OperationEvents(id);
    stream.write(...events.result(errors ? { ...result, errors: visibleErrors(errors) as never } : result));
    stream.write(events.complete());
  }
}
