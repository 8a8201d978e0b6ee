import type { ServerResponse } from 'node:http';
import { TidegateError, toTidegateError } from '@tidegate/core';
import type { Release } from '../../admission/keyed-limit.ts';
import { operationBytes } from '../../admission/operation-bytes.ts';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import { visibleResult } from '../../graphql/error-codes.ts';
import { cursorOf, type OperationParams } from '../../graphql/operation-params.ts';
import type { LiveSubscription } from '../../live/live-request.ts';
import { CLIENT_LEFT } from '../departed-client.ts';
import type { EdgeFacts } from '../edge-facts.ts';
import { StreamSink } from '../response-stream/sink.ts';
import type { StreamOptions } from '../response-stream/subscription.ts';
import { TaggedEvents } from './encoding.ts';
import { MAX_RESERVATIONS, RESERVATION_TTL_MS } from './limits.ts';
import { parseOperationId } from './request.ts';
import { Reservations, type Reservation, type StreamOperation } from './reservations.ts';

export interface SingleConnectionModeOptions extends StreamOptions {
  /** Maximum operations on one stream. */
  readonly maxSubscriptionsPerConnection: number;
  /** Maximum reservations of all viewers whose stream is not open. Default 10,000. */
  readonly maxReservations?: number;
  /** Time for a reservation to be followed by its stream, in milliseconds. Default 10 s. */
  readonly reservationTtlMs?: number;
}

/**
 * "Single connection mode" of the GraphQL over SSE protocol: a stream is reserved, then opened once. Operations are
 * started and stopped by separate requests that carry the token of the reservation.
 */
export class SingleConnectionMode {
  readonly #options: SingleConnectionModeOptions;
  readonly #reservations: Reservations;

  constructor(options: SingleConnectionModeOptions) {
    this.#options = options;
    this.#reservations = new Reservations({
      maxReservations: options.maxReservations ?? MAX_RESERVATIONS,
      ttlMs: options.reservationTtlMs ?? RESERVATION_TTL_MS,
    });
  }

  /** Reserves a stream and answers 201 with the token. @throws TidegateError RATE_LIMITED, TOO_MANY_CONNECTIONS */
  reserve(facts: EdgeFacts, response: ServerResponse): void {
    const { connect, guards } = this.#options;
    const token = this.#reservations.add(
      facts.viewer,
      () => guards.admission.admitReservation(facts),
      (onEnd) => connect(facts, onEnd),
    );
    // No cache may give the same token to a second client.
    response.writeHead(201, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' });
    response.end(token);
  }

  /** Opens a reserved stream. @throws TidegateError NOT_FOUND, CONFLICT */
  open(token: string, viewer: VerifiedViewer, response: ServerResponse): void {
    this.#reservations.open(token, viewer, response);
  }

  /**
   * Starts an operation and answers 202; its results are sent on the stream.
   *
   * @throws TidegateError NOT_FOUND (token), BAD_REQUEST (id), CONFLICT (id in use), TOO_MANY_SUBSCRIPTIONS, and
   * errors of the document.
   */
  start(token: string, facts: EdgeFacts, params: OperationParams, response: ServerResponse): void {
    const reservation = this.#reservations.find(token, facts.viewer);
    const id = parseOperationId(params.extensions?.['operationId']);
    this.#requireRoom(reservation, id);
    const { server, guards } = this.#options;
    const bytes = operationBytes(params, server.document(params), id);
    const releaseBytes = guards.admission.admitBytes(reservation.connection.bytes, facts.address, bytes);
    if (server.operationKind(params) !== 'subscription') {
      void this.#execute(reservation, id, params, facts).finally(releaseBytes);
    } else {
      try {
        this.#subscribe(reservation, id, params, facts, releaseBytes);
      } catch (error) {
        releaseBytes();
        throw error;
      }
    }
    response.writeHead(202).end();
  }

  /** Stops an operation and answers 200, also when it has already ended. @throws TidegateError NOT_FOUND, BAD_REQUEST */
  stop(token: string, viewer: VerifiedViewer, operationId: string | null, response: ServerResponse): void {
    const { operations, connection } = this.#reservations.find(token, viewer);
    const id = parseOperationId(operationId);
    const operation = operations.get(id);
    operation?.stop();
    operations.delete(id);
    // The client would take them for messages of the next operation of this id.
    if (operation) connection.queue.discard(operation.source);
    response.writeHead(200).end();
  }

  #requireRoom({ operations }: Reservation, id: string): void {
    const max = this.#options.maxSubscriptionsPerConnection;
    if (operations.has(id)) {
      throw new TidegateError('CONFLICT', 'There is an operation of this id on the stream already.');
    }
    if (operations.size >= max) {
      throw new TidegateError('TOO_MANY_SUBSCRIPTIONS', `At most ${max} operations on one event stream.`);
    }
  }

  #subscribe(
    { operations, connection }: Reservation,
    id: string,
    params: OperationParams,
    facts: EdgeFacts,
    releaseBytes: Release,
  ): void {
    const { hub, metrics, server, guards } = this.#options;
    const request = server.liveRequest(params, facts, cursorOf(params));
    const releasePlace = guards.admission.admitSubscription(facts);
    const release = (): void => {
      releasePlace();
      releaseBytes();
    };
    const messages = new TaggedEvents(id);
    const onEnd = (): void => {
      // The operation may have been stopped and its id reused.
      if (operations.get(id) === operation) operations.delete(id);
      release();
    };
    const sink = new StreamSink({ connection, messages, policy: request.field.overflow, metrics, onEnd });
    let live: LiveSubscription | undefined;
    const operation: StreamOperation = {
      source: sink,
      stop: () => {
        live?.stop();
        release();
      },
      reauthorise: (viewer) => {
        try {
          live?.renew(request.forViewer(viewer));
        } catch (error) {
          live?.stop();
          sink.fail(toTidegateError(error));
        }
      },
    };
    operations.set(id, operation);
    live = hub.subscribe(request, sink);
    // The subscription may have ended during `subscribe`.
    if (operations.get(id) !== operation) operation.stop();
  }

  async #execute(
    { operations, connection }: Reservation,
    id: string,
    params: OperationParams,
    facts: EdgeFacts,
  ): Promise<void> {
    const { server } = this.#options;
    const controller = new AbortController();
    const operation: StreamOperation = { source: controller, stop: () => controller.abort(CLIENT_LEFT) };
    operations.set(id, operation);
    // A mutation that has begun is not aborted.
    const signal = server.operationKind(params) === 'query' ? controller.signal : undefined;
    const result = await server.execute(params, facts, signal);
    // Stopped in the meantime.
    if (operations.get(id) !== operation) return;
    operations.delete(id);
    const events = new TaggedEvents(id);
    connection.queue.send(events.result(visibleResult(result)), controller);
    connection.queue.send(events.complete(), controller);
  }
}
