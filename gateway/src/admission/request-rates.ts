import { createHash } from 'node:crypto';
import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import {
  createMemorySharedState,
  type SharedState,
  type TokenBucket,
  type TokenGrant,
} from '@tidegate/shared-state';
import type { EdgeMetrics } from './metrics.ts';
import type { Refusal } from './rules.ts';

export interface RateLimits {
  /** Cost of the requests of one viewer in a minute; 0: no limit. */
  readonly maxCostPerViewer: number;
  /** Cost of the requests of one address in a minute; 0: no limit. */
  readonly maxCostPerAddress: number;
}

export interface RequestRatesOptions {
  readonly limits: RateLimits;
  /** State that all replicas share. */
  readonly state: SharedState;
  readonly metrics: EdgeMetrics;
  readonly logger: Logger;
}

/** Result of charging one request. */
export interface Charge {
  /** `RateLimit-Policy` and `RateLimit` of the response, and `Retry-After` when it is refused. */
  readonly headers: Readonly<Record<string, string>>;
  /** RATE_LIMITED with `details.retryAfterMs`; undefined when the request may be executed. */
  readonly refusal?: TidegateError;
}

interface NamedBucket extends TokenBucket {
  /** Name of the policy in the headers. */
  readonly policy: 'viewer' | 'address';
}

const WINDOW_MS = 60_000;
/** Buckets of this process for the time that the shared state is away, each about 200 bytes. */
const MAX_LOCAL_BUCKETS = 100_000;
/** Maximum length of a name in a bucket's key, in characters. A longer one is hashed. */
const MAX_NAME_LENGTH = 128;
const FREE: Charge = { headers: {} };

/**
 * Limits the rate of requests: a token bucket for each viewer and one for each address, over all BFFs, transports and
 * replicas. A bucket holds the cost of one minute, so that an idle client may send it at once. While the shared state
 * is away, each process counts for itself: requests are not refused for it, and the process stays ready.
 */
export class RequestRates {
  readonly #options: RequestRatesOptions;
  readonly #local = createMemorySharedState({ maxEntries: MAX_LOCAL_BUCKETS });
  #isLocal = false;

  constructor(options: RequestRatesOptions) {
    this.#options = options;
  }

  /**
   * Charges a request before it is executed. Never rejects.
   *
   * @param viewer without a token the request is charged to its address alone.
   * @param address undefined when it is not known: the request is charged to its viewer alone.
   * @param cost at least 0. Default 1, the least that a request costs.
   */
  async charge(viewer: Viewer, address: string | undefined, cost = 1): Promise<Charge> {
    const buckets = this.#bucketsOf(viewer, address);
    if (buckets.length === 0) return FREE;
    const { granted, retryAfterMs, levels } = await this.#take(buckets, cost);
    const headers = {
      'ratelimit-policy': buckets.map(encodePolicy).join(', '),
      ratelimit: buckets.map((bucket, index) => encodeLevel(bucket, levels[index])).join(', '),
    };
    if (granted) return { headers };
    this.#options.metrics.refusals.inc({ reason: 'request-rate' satisfies Refusal });
    const refusal = new TidegateError('RATE_LIMITED', 'Too many requests; come back after `retryAfterMs`.', {
      details: { retryAfterMs },
    });
    return { headers: { ...headers, 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }, refusal };
  }

  #bucketsOf(viewer: Viewer, address: string | undefined): NamedBucket[] {
    const { maxCostPerViewer, maxCostPerAddress } = this.#options.limits;
    const buckets: NamedBucket[] = [];
    if (maxCostPerViewer > 0 && viewer.role !== 'anonymous')
      buckets.push(bucketOf('viewer', viewer.id, maxCostPerViewer));
    if (maxCostPerAddress > 0 && address !== undefined)
      buckets.push(bucketOf('address', address, maxCostPerAddress));
    return buckets;
  }

  async #take(buckets: readonly TokenBucket[], cost: number): Promise<TokenGrant> {
    try {
      const grant = await this.#options.state.takeTokens(buckets, cost);
      if (this.#isLocal)
        this.#options.logger.info({}, 'request rates are shared with the other replicas again');
      this.#isLocal = false;
      return grant;
    } catch (error) {
      this.#options.metrics.localCharges.inc();
      if (!this.#isLocal) {
        this.#options.logger.warn(
          { err: error },
          'the shared state is away: request rates are limited by each process for itself until it is back',
        );
      }
      this.#isLocal = true;
      return this.#local.takeTokens(buckets, cost);
    }
  }
}

function bucketOf(policy: NamedBucket['policy'], name: string, capacity: number): NamedBucket {
  const short = name.length <= MAX_NAME_LENGTH ? name : createHash('sha256').update(name).digest('base64url');
  return { policy, key: `${policy}:${short}`, capacity, refillMs: WINDOW_MS };
}

// Both fields are lists of the IETF draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers):
// quota `q` and window `w` in seconds of each policy; available quota `r` and the seconds `t` until all of it is.

function encodePolicy({ policy, capacity }: NamedBucket): string {
  return `"${policy}";q=${capacity};w=${WINDOW_MS / 1_000}`;
}

function encodeLevel({ policy }: NamedBucket, level: TokenGrant['levels'][number] | undefined): string {
  const { tokens = 0, fullInMs = 0 } = level ?? {};
  return `"${policy}";r=${tokens};t=${Math.ceil(fullInMs / 1_000)}`;
}
