/**
 * Small, short-lived values that all replicas of a process share: rate limit counters, remembered writes, locks.
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
  /** Deletes the key. Resolves also when it does not exist. */
  delete(key: string): Promise<void>;
  /** Resolves when the store answers within `timeoutMs`. Waits for a connection that is being opened. */
  ping(timeoutMs: number): Promise<void>;
  /** Idempotent. Every later call rejects with TidegateError UNAVAILABLE. */
  close(): Promise<void>;
}
