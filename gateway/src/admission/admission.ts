import { TidegateError } from '@tidegate/core';
import type { VerifiedViewer } from '../auth/token-verifier.ts';
import type { EdgeMetrics, Refusal } from './metrics.ts';
import { KeyedLimit } from './keyed-limit.ts';

export interface AdmissionLimits {
  /** Most WebSockets and event streams of one address at a time. */
  readonly maxConnectionsPerAddress: number;
  /** Most WebSockets and event streams of one viewer at a time. */
  readonly maxConnectionsPerViewer: number;
  /** Most running subscriptions of one viewer over all its connections; without a token, of one address. */
  readonly maxSubscriptionsPerViewer: number;
}

/** Gives back what was counted. Idempotent. */
export type Release = () => void;

/** Who is counted: the token's subject, whatever rights it gives, or for those without a token their address. */
export interface Holder {
  readonly viewer: VerifiedViewer;
  readonly address: string;
}

/**
 * The one place that counts what each viewer and each address holds in this process, over all BFFs and transports.
 * Whoever is over a limit is refused the next one; what it has goes on.
 */
export class Admission {
  readonly #addresses: KeyedLimit;
  readonly #viewers: KeyedLimit;
  readonly #subscriptions: KeyedLimit;
  readonly #metrics: EdgeMetrics;

  constructor(options: { readonly limits: AdmissionLimits; readonly metrics: EdgeMetrics }) {
    const { limits, metrics } = options;
    this.#addresses = new KeyedLimit(limits.maxConnectionsPerAddress);
    this.#viewers = new KeyedLimit(limits.maxConnectionsPerViewer);
    this.#subscriptions = new KeyedLimit(limits.maxSubscriptionsPerViewer);
    this.#metrics = metrics;
  }

  /** One more connection of an address, before it is known whose it is. @throws TidegateError TOO_MANY_CONNECTIONS */
  connectionOf(address: string): Release {
    const release = this.#addresses.take(address);
    if (release) return release;
    throw this.#tooManyConnections('connections-per-address', 'an address', this.#addresses.max);
  }

  /**
   * A connection has turned out to be this viewer's. Without a token it counts for its address alone.
   *
   * @throws TidegateError TOO_MANY_CONNECTIONS
   */
  connectionFor({ viewer }: Holder): Release {
    if (viewer.role === 'anonymous') return () => undefined;
    const release = this.#viewers.take(viewer.id);
    if (release) return release;
    throw this.#tooManyConnections('connections-per-viewer', 'a viewer', this.#viewers.max);
  }

  /** @throws TidegateError TOO_MANY_SUBSCRIPTIONS */
  subscription({ viewer, address }: Holder): Release {
    const key = viewer.role === 'anonymous' ? `address ${address}` : `viewer ${viewer.id}`;
    const release = this.#subscriptions.take(key);
    if (release) return release;
    this.#metrics.refusals.inc({ reason: 'subscriptions-per-viewer' satisfies Refusal });
    const { max } = this.#subscriptions;
    throw new TidegateError(
      'TOO_MANY_SUBSCRIPTIONS',
      `At most ${max} subscriptions of a viewer at a time, over all connections; end some first.`,
      { details: { max } },
    );
  }

  /** Addresses and viewers that hold something: back to 0 when everybody has left. */
  get holders(): number {
    return this.#addresses.keys + this.#viewers.keys + this.#subscriptions.keys;
  }

  #tooManyConnections(reason: Refusal, whose: string, max: number): TidegateError {
    this.#metrics.refusals.inc({ reason });
    const message = `At most ${max} connections of ${whose} at a time; close some first.`;
    return new TidegateError('TOO_MANY_CONNECTIONS', message, { details: { max } });
  }
}
