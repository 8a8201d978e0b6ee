/** A token bucket of a rate limit: full at first, then refilled at a constant rate. */
export interface TokenBucket {
  /** Name of the bucket. Buckets have names of their own: a value of the same key is another thing. */
  readonly key: string;
  /** Tokens of the full bucket. At least 1. */
  readonly capacity: number;
  /** Time in milliseconds in which the empty bucket becomes full. At least 1. */
  readonly refillMs: number;
}

/** State of a bucket after a request for tokens. */
export interface BucketLevel {
  /** Whole tokens left. 0 when the bucket is empty or in debt. */
  readonly tokens: number;
  /** Time in milliseconds until the bucket is full. */
  readonly fullInMs: number;
}

export interface TokenGrant {
  /** False when a bucket had too few tokens. Nothing was taken then, from no bucket. */
  readonly granted: boolean;
  /** Time in milliseconds after which the same request would be granted; 0 when it was. */
  readonly retryAfterMs: number;
  /** One for each bucket, in the order of the request. */
  readonly levels: readonly BucketLevel[];
}

/**
 * Small, short-lived values that all replicas of a process share: rate limits, remembered writes, locks.
 * No value is a source of truth: each expires, and each may be lost earlier (eviction, a restarted Redis).
 *
 * Both adapters (`memory.ts`, `redis.ts`) pass the suite in `conformance.ts`.
 *
 * - Every method rejects with TidegateError UNAVAILABLE soon after the store cannot be reached. The caller decides
 *   whether it can go on without the value.
 * - Every `ttlMs` is an integer of at least 1. Otherwise the method rejects with TidegateError BAD_REQUEST.
 */
export interface SharedState {
  /** Resolves to undefined when the key does not exist. */
  get(key: string): Promise<string | undefined>;
  /** Replaces the value and its lifetime. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /**
   * Adds one and resolves to the new number. A key that does not exist counts from 0. Atomic across replicas.
   *
   * The first increment sets the lifetime and further ones do NOT prolong it, which makes a fixed window.
   * Rejects with TidegateError CONFLICT when the value is not an integer.
   */
  increment(key: string, ttlMs: number): Promise<number>;
  /** Sets the value unless the key exists. Resolves to true for exactly one of several concurrent callers. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  /**
   * Sets the value and its lifetime if the present value is `expected` (undefined: the key does not exist). Resolves to
   * false, without a change, when it is another. Atomic across replicas, so that a read followed by this call loses no
   * concurrent write.
   */
  compareAndSet(key: string, expected: string | undefined, value: string, ttlMs: number): Promise<boolean>;
  /**
   * Takes `cost` tokens from each of the buckets, or from none of them. Atomic across replicas, which have to agree on
   * the capacity and the refill time of a bucket.
   *
   * A bucket grants a cost above its capacity when it is full, and is in debt afterwards, so that the rate holds for
   * costs of every size. A full bucket takes no memory. Rejects with TidegateError BAD_REQUEST unless `cost` is a finite
   * number of at least 0.
   */
  takeTokens(buckets: readonly TokenBucket[], cost: number): Promise<TokenGrant>;
  /** Deletes the key. Resolves also when it does not exist. */
  delete(key: string): Promise<void>;
  /** Resolves when the store answers within `timeoutMs`. Waits for a connection that is being opened. */
  ping(timeoutMs: number): Promise<void>;
  /** Idempotent. Every later call rejects with TidegateError UNAVAILABLE. */
  close(): Promise<void>;
}
