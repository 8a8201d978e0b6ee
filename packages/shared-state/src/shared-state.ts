/**
 * Small, short-lived values that all replicas see: counters of rate limits, remembered writes, locks. Nothing here is
 * the truth about anything; every value expires, and any value may be gone early (eviction, a restarted Redis).
 *
 * Each method rejects with TidegateError UNAVAILABLE when the store cannot be reached, soon rather than late: callers
 * decide whether to go on without it. A `ttlMs` is a whole number of at least 1, else BAD_REQUEST.
 */
export interface SharedState {
  get(key: string): Promise<string | undefined>;
  /** Replaces the value and its lifetime. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /**
   * Adds one and resolves to the new number; a key that is not there counts from 0. Atomic across replicas. The
   * lifetime is set when the key is made and NOT prolonged by further increments: a fixed window.
   * Rejects with CONFLICT when the key holds something other than a whole number.
   */
  increment(key: string, ttlMs: number): Promise<number>;
  /** True for exactly one of all who try while the key is not there. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>;
  /** Resolves also when there was nothing to delete. */
  delete(key: string): Promise<void>;
  /** Resolves when the store answers within `timeoutMs`, waiting for a connection that is still being made. */
  ping(timeoutMs: number): Promise<void>;
  /** Idempotent. Every call after it rejects with UNAVAILABLE. */
  close(): Promise<void>;
}
