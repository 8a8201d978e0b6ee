import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { TidegateError } from '@tidegate/core';
import type { Release } from '../../admission/keyed-limit.ts';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { StreamConnection } from '../response-stream/connection.ts';

/** One stream of "single connection mode", from its reservation to its end, with the operations that write to it. */
export interface Reservation {
  readonly viewer: VerifiedViewer;
  readonly connection: StreamConnection;
  /** Returns the reservation's place, once the stream is open or has ended. Idempotent. */
  readonly release: Release;
  /** By the client's id. */
  readonly operations: Map<string, StreamOperation>;
}

/** An operation that writes to a reserved stream. */
export interface StreamOperation {
  /** Owner or source of the messages that it has queued. */
  readonly source: object;
  stop(): void;
  /** Continues under the rights of a renewed token, or ends with an error where they do not suffice. */
  reauthorise?(viewer: VerifiedViewer): void;
}

export interface ReservationsOptions {
  /** Maximum reservations in this process whose stream is not open yet. Open ones are counted as connections. */
  readonly maxReservations: number;
  /** Time for a reservation to be followed by its stream, in milliseconds. */
  readonly ttlMs: number;
}

const TOKEN_BYTES = 24;
/** A place is free again when one of the reservations is opened, or expires. */
const RETRY_AFTER_MS = 1_000;

/** Reserved streams by their token. A reservation ends with its stream, or when no stream is opened in time. */
export class Reservations {
  readonly #options: ReservationsOptions;
  readonly #reservations = new Map<string, Reservation>();
  #unopened = 0;

  constructor(options: ReservationsOptions) {
    this.#options = options;
  }

  /**
   * Creates a reservation and returns its token.
   *
   * @param admit counts a place of the viewer and the address, until the stream is open.
   * @throws TidegateError RATE_LIMITED when this process holds its maximum, and errors of `admit` and `create`.
   */
  add(viewer: VerifiedViewer, admit: () => Release, create: (onEnd: () => void) => StreamConnection): string {
    const release = this.#take(admit);
    try {
      return this.#add(viewer, release, create);
    } catch (error) {
      release();
      throw error;
    }
  }

  #take(admit: () => Release): Release {
    if (this.#unopened >= this.#options.maxReservations) {
      throw new TidegateError('RATE_LIMITED', 'There are too many reservations at the moment; come back.', {
        details: { retryAfterMs: RETRY_AFTER_MS },
      });
    }
    const returnPlace = admit();
    this.#unopened += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#unopened -= 1;
      returnPlace();
    };
  }

  #add(viewer: VerifiedViewer, release: Release, create: (onEnd: () => void) => StreamConnection): string {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const operations = new Map<string, StreamOperation>();
    const connection = create(() => {
      release();
      this.#reservations.delete(token);
      for (const operation of operations.values()) operation.stop();
      operations.clear();
    });
    this.#reservations.set(token, { viewer, connection, release, operations });
    connection.expireAt(Date.now() + this.#options.ttlMs);
    return token;
  }

  /**
   * Returns the reservation of this token if this viewer made it. A request with a newer token of the same subject
   * extends the life of the stream and updates its rights.
   *
   * @throws TidegateError NOT_FOUND when the token is unknown, has ended, or belongs to another viewer; the error
   * does not tell which.
   */
  find(token: string, viewer: VerifiedViewer): Reservation {
    const reservation = this.#reservations.get(token);
    if (!reservation || reservation.viewer.id !== viewer.id) throw notFound();
    if (isNewer(viewer, reservation.viewer)) return this.#renew(token, reservation, viewer);
    // An older token with another role is refused: its rights have been replaced.
    if (reservation.viewer.role !== viewer.role) throw notFound();
    return reservation;
  }

  /**
   * Opens the stream of a reservation. EventSource can send no credentials, so the token alone suffices here, once
   * and for a short time. Credentials, if sent, must belong to the viewer of the reservation.
   *
   * @throws TidegateError NOT_FOUND as `find`; CONFLICT when the stream is already open.
   */
  open(token: string, viewer: VerifiedViewer, response: ServerResponse): void {
    const reservation = this.#reservations.get(token);
    if (!reservation || (viewer.role !== 'anonymous' && reservation.viewer.id !== viewer.id)) {
      throw notFound();
    }
    if (reservation.connection.attached) {
      throw new TidegateError('CONFLICT', 'This event stream is already open; reserve another one.');
    }
    reservation.release();
    reservation.connection.attach(response);
    reservation.connection.expireAt(reservation.viewer.expiresAtMs ?? Infinity);
  }

  #renew(token: string, reservation: Reservation, viewer: VerifiedViewer): Reservation {
    const renewed = { ...reservation, viewer };
    this.#reservations.set(token, renewed);
    renewed.connection.identify(viewer);
    // Before the stream is open, its expiry is that of the reservation.
    if (renewed.connection.attached) renewed.connection.expireAt(viewer.expiresAtMs ?? Infinity);
    for (const operation of [...renewed.operations.values()]) operation.reauthorise?.(viewer);
    return renewed;
  }
}

/** True when `one` was issued after `other`, or in the same second with a later expiry. */
function isNewer(one: VerifiedViewer, other: VerifiedViewer): boolean {
  const [issued = 0, otherIssued = 0] = [one.issuedAtMs, other.issuedAtMs];
  if (issued !== otherIssued) return issued > otherIssued;
  return (one.expiresAtMs ?? Infinity) > (other.expiresAtMs ?? Infinity);
}

function notFound(): TidegateError {
  return new TidegateError('NOT_FOUND', 'There is no event stream of this token; reserve one with PUT.');
}
