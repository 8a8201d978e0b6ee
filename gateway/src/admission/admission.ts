import { TidegateError } from '@tidegate/core';
import type { VerifiedViewer } from '../auth/token-verifier.ts';
import type { GatewayLimits } from '../limits.ts';
import { ByteAccount } from './byte-account.ts';
import { KeyedLimit, type Release } from './keyed-limit.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { OperationBytes } from './operation-bytes.ts';
import { byteRules, countedRules, type ByteRule, type CountedRule, type Refusal } from './rules.ts';

export type AdmissionLimits = Pick<
  GatewayLimits,
  (typeof countedRules)[CountedRule]['limit'] | (typeof byteRules)[ByteRule]['limit']
>;

/** Time after which a place may be free again: most reserved streams are opened within a round trip. */
const RETRY_AFTER_MS = 1_000;

/** A client as limits count it. */
export interface Holder {
  readonly viewer: VerifiedViewer;
  readonly address: string;
}

/** Counts the connections and subscriptions of each viewer and address in this process, by the rules in `rules.ts`. */
export class Admission {
  readonly #counts: Readonly<Record<CountedRule, KeyedLimit>>;
  readonly #limits: AdmissionLimits;
  readonly #bytesOfAddress = new Map<string, ByteAccount>();
  readonly #metrics: EdgeMetrics;

  constructor({ limits, metrics }: { readonly limits: AdmissionLimits; readonly metrics: EdgeMetrics }) {
    const countOf = (rule: CountedRule): KeyedLimit => new KeyedLimit(limits[countedRules[rule].limit]);
    this.#counts = {
      'connections-per-address': countOf('connections-per-address'),
      'connections-per-viewer': countOf('connections-per-viewer'),
      'subscriptions-per-viewer': countOf('subscriptions-per-viewer'),
      'reservations-per-address': countOf('reservations-per-address'),
      'reservations-per-viewer': countOf('reservations-per-viewer'),
    };
    this.#limits = limits;
    this.#metrics = metrics;
  }

  /**
   * Counts a connection of an address, before its viewer is known.
   *
   * @throws TidegateError TOO_MANY_CONNECTIONS
   */
  admitAddress(address: string): Release {
    return this.#take('connections-per-address', address);
  }

  /**
   * Counts a connection of a viewer. A viewer without a token is not counted: the address is.
   *
   * @throws TidegateError TOO_MANY_CONNECTIONS
   */
  admitViewer(viewer: VerifiedViewer): Release {
    if (viewer.role === 'anonymous') return () => undefined;
    return this.#take('connections-per-viewer', viewer.id);
  }

  /**
   * Counts a subscription of a viewer or, without a token, of an address.
   *
   * @throws TidegateError TOO_MANY_SUBSCRIPTIONS
   */
  admitSubscription({ viewer, address }: Holder): Release {
    const key = viewer.role === 'anonymous' ? `address ${address}` : `viewer ${viewer.id}`;
    return this.#take('subscriptions-per-viewer', key);
  }

  /**
   * Counts a reservation of an event stream until the stream is opened: for its address and, with a token, its viewer.
   * Reservations with and without a token are counted apart, so that a flood without one leaves its neighbours room.
   *
   * @throws TidegateError RATE_LIMITED with `details.retryAfterMs`
   */
  admitReservation({ viewer, address }: Holder): Release {
    const isAnonymous = viewer.role === 'anonymous';
    const key = isAnonymous ? `anonymous ${address}` : address;
    const releaseAddress = this.#take('reservations-per-address', key);
    if (isAnonymous) return releaseAddress;
    try {
      const releaseViewer = this.#take('reservations-per-viewer', viewer.id);
      return () => {
        releaseAddress();
        releaseViewer();
      };
    } catch (error) {
      releaseAddress();
      throw error;
    }
  }

  /**
   * Counts the memory of an operation until its end, for its connection and its address.
   *
   * @param connection account of the operation's connection.
   * @throws TidegateError TOO_MANY_SUBSCRIPTIONS
   */
  admitBytes(connection: ByteAccount, address: string, operation: OperationBytes): Release {
    const ofAddress = this.#bytesOfAddress.get(address) ?? new ByteAccount();
    this.#requireRoom('operation-bytes-per-connection', connection.with(operation));
    this.#requireRoom('operation-bytes-per-address', ofAddress.with(operation));
    this.#bytesOfAddress.set(address, ofAddress);
    connection.add(operation);
    ofAddress.add(operation);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      connection.remove(operation);
      ofAddress.remove(operation);
      if (ofAddress.bytes === 0) this.#bytesOfAddress.delete(address);
    };
  }

  /** Number of addresses and viewers that hold something; 0 when all have left. */
  get holders(): number {
    const counted = Object.values(this.#counts).reduce((sum, { keys }) => sum + keys, 0);
    return counted + this.#bytesOfAddress.size;
  }

  #requireRoom(rule: ByteRule, bytes: number): void {
    const { limit, code, message } = byteRules[rule];
    const maxBytes = this.#limits[limit];
    if (bytes <= maxBytes) return;
    this.#metrics.refusals.inc({ reason: rule satisfies Refusal });
    throw new TidegateError(code, message(maxBytes), { details: { maxBytes } });
  }

  #take(rule: CountedRule, key: string): Release {
    const count = this.#counts[rule];
    const release = count.take(key);
    if (release) return release;
    this.#metrics.refusals.inc({ reason: rule satisfies Refusal });
    const { code, message } = countedRules[rule];
    const details = { max: count.max, ...(code === 'RATE_LIMITED' && { retryAfterMs: RETRY_AFTER_MS }) };
    throw new TidegateError(code, message(count.max), { details });
  }
}
