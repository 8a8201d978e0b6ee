import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/errors';
import type { SseStream } from './sse-stream.ts';

/** One stream of "single connection mode", from its reservation to its end, with the operations that write to it. */
export interface Reservation {
  readonly viewer: Viewer;
  readonly stream: SseStream;
  /** How to end each operation, by the client's id of it. */
  readonly operations: Map<string, () => void>;
}

export interface ReservationsOptions {
  /** Most reservations in this process, fulfilled or not. */
  readonly maxReservations: number;
  /** How long a reservation waits for its event stream. */
  readonly ttlMs: number;
}

const TOKEN_BYTES = 24;

/** Streams by their token. A reservation ends with its stream, or when none came in time. */
export class Reservations {
  readonly #options: ReservationsOptions;
  readonly #reservations = new Map<string, Reservation>();

  constructor(options: ReservationsOptions) {
    this.#options = options;
  }

  /** @throws TidegateError RATE_LIMITED when this process holds as many as it may, and what `create` throws. */
  add(viewer: Viewer, create: (onEnd: () => void) => SseStream): string {
    if (this.#reservations.size >= this.#options.maxReservations) {
      throw new TidegateError('RATE_LIMITED', 'There are too many reservations at the moment; come back.');
    }
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const operations = new Map<string, () => void>();
    const stream = create(() => {
      this.#reservations.delete(token);
      for (const stop of operations.values()) stop();
      operations.clear();
    });
    this.#reservations.set(token, { viewer, stream, operations });
    stream.expireAt(Date.now() + this.#options.ttlMs);
    return token;
  }

  /**
   * The reservation of this token, for the viewer who made it. A request with a newer token of the same viewer renews
   * the stream's life.
   *
   * @throws TidegateError NOT_FOUND: unknown, over, or somebody else's; not said which.
   */
  find(token: string, viewer: Viewer): Reservation {
    const reservation = this.#reservations.get(token);
    if (!reservation || !sameViewer(reservation.viewer, viewer)) throw notFound();
    this.#renew(token, reservation, viewer);
    return reservation;
  }

  /**
   * Fulfils a reservation. EventSource can send no credentials, so the token alone is enough here, once and briefly;
   * with credentials they have to be those of the viewer who reserved.
   *
   * @throws TidegateError NOT_FOUND as `find`, CONFLICT when its stream is already there.
   */
  open(token: string, viewer: Viewer, response: ServerResponse): void {
    const reservation = this.#reservations.get(token);
    if (!reservation || (viewer.role !== 'anonymous' && !sameViewer(reservation.viewer, viewer))) {
      throw notFound();
    }
    if (reservation.stream.attached) {
      throw new TidegateError('CONFLICT', 'This event stream is already open; reserve another one.');
    }
    reservation.stream.attach(response);
    reservation.stream.expireAt(reservation.viewer.expiresAtMs ?? Infinity);
  }

  #renew(token: string, reservation: Reservation, viewer: Viewer): void {
    const [before = Infinity, now = Infinity] = [reservation.viewer.expiresAtMs, viewer.expiresAtMs];
    if (now <= before) return;
    this.#reservations.set(token, { ...reservation, viewer });
    // Before it is open, what runs out is the reservation.
    if (reservation.stream.attached) reservation.stream.expireAt(now);
  }
}

function sameViewer(one: Viewer, other: Viewer): boolean {
  return one.role === other.role && one.id === other.id;
}

function notFound(): TidegateError {
  return new TidegateError('NOT_FOUND', 'There is no event stream of this token; reserve one with PUT.');
}
