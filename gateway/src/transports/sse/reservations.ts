import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { ConnectionHold } from '../../admission/connection-hold.ts';
import type { SseStream } from './connection.ts';

/** One stream of "single connection mode", from its reservation to its end, with the operations that write to it. */
export interface Reservation {
  readonly viewer: VerifiedViewer;
  readonly stream: SseStream;
  readonly hold: ConnectionHold;
  /** By the client's id of it. */
  readonly operations: Map<string, StreamOperation>;
}

/** An operation that writes to a reserved stream. */
export interface StreamOperation {
  stop(): void;
  /** The stream's token has been renewed by one of other rights: go on under them, or end with what they say. */
  authoriseAnew?(viewer: VerifiedViewer): void;
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
  add(
    viewer: VerifiedViewer,
    create: (onEnd: () => void) => { stream: SseStream; hold: ConnectionHold },
  ): string {
    if (this.#reservations.size >= this.#options.maxReservations) {
      throw new TidegateError('RATE_LIMITED', 'There are too many reservations at the moment; come back.');
    }
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const operations = new Map<string, StreamOperation>();
    const { stream, hold } = create(() => {
      this.#reservations.delete(token);
      for (const operation of operations.values()) operation.stop();
      operations.clear();
    });
    this.#reservations.set(token, { viewer, stream, hold, operations });
    stream.expireAt(Date.now() + this.#options.ttlMs);
    return token;
  }

  /**
   * The reservation of this token, for the viewer who made it. A request with a newer token of the same subject
   * renews the stream's life and, where it gives others, its rights.
   *
   * @throws TidegateError NOT_FOUND: unknown, over, or somebody else's; not said which.
   */
  find(token: string, viewer: VerifiedViewer): Reservation {
    const reservation = this.#reservations.get(token);
    if (!reservation || reservation.viewer.id !== viewer.id) throw notFound();
    if (isNewer(viewer, reservation.viewer)) return this.#renew(token, reservation, viewer);
    // An older token does not take the stream back to the rights it gave, and starts nothing under them.
    if (reservation.viewer.role !== viewer.role) throw notFound();
    return reservation;
  }

  /**
   * Fulfils a reservation. EventSource can send no credentials, so the token alone is enough here, once and briefly;
   * with credentials they have to be those of the viewer who reserved.
   *
   * @throws TidegateError NOT_FOUND as `find`, CONFLICT when its stream is already there.
   */
  open(token: string, viewer: VerifiedViewer, response: ServerResponse): void {
    const reservation = this.#reservations.get(token);
    if (!reservation || (viewer.role !== 'anonymous' && reservation.viewer.id !== viewer.id)) {
      throw notFound();
    }
    if (reservation.stream.attached) {
      throw new TidegateError('CONFLICT', 'This event stream is already open; reserve another one.');
    }
    reservation.stream.attach(response);
    reservation.stream.expireAt(reservation.viewer.expiresAtMs ?? Infinity);
  }

  #renew(token: string, reservation: Reservation, viewer: VerifiedViewer): Reservation {
    const renewed = { ...reservation, viewer };
    this.#reservations.set(token, renewed);
    renewed.hold.take(viewer);
    // Before it is open, what runs out is the reservation.
    if (renewed.stream.attached) renewed.stream.expireAt(viewer.expiresAtMs ?? Infinity);
    for (const operation of [...renewed.operations.values()]) operation.authoriseAnew?.(viewer);
    return renewed;
  }
}

/** Of two tokens the one that was issued later, or of one second the one that lasts longer. */
function isNewer(one: VerifiedViewer, other: VerifiedViewer): boolean {
  const [issued = 0, otherIssued = 0] = [one.issuedAtMs, other.issuedAtMs];
  if (issued !== otherIssued) return issued > otherIssued;
  return (one.expiresAtMs ?? Infinity) > (other.expiresAtMs ?? Infinity);
}

function notFound(): TidegateError {
  return new TidegateError('NOT_FOUND', 'There is no event stream of this token; reserve one with PUT.');
}
