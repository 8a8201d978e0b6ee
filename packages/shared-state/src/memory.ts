import { TidegateError } from '@tidegate/core';
import { LRUCache } from 'lru-cache';
import { notANumber, requireCost, requireTtl } from './errors.ts';
import type { SharedState, TokenBucket, TokenGrant } from './shared-state.ts';
import { decideTokens } from './token-bucket.ts';

export interface MemorySharedStateOptions {
  /** Maximum number of keys, and of token buckets that are not full. */
  readonly maxEntries: number;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: () => number;
  /** Called for each evicted value that had not expired, e.g. to count it. */
  readonly onEvict?: (key: string) => void;
}

interface Entry {
  readonly value: string;
  readonly expiresAtMs: number;
}

/**
 * Bounds a cache by a number of entries. Each entry counts as a size of 1: with `max` the cache would allocate its arrays
 * for the maximum at once, 5 MB for 100,000 entries.
 */
function boundedBy(maxEntries: number): { readonly maxSize: number; readonly sizeCalculation: () => number } {
  return { maxSize: maxEntries, sizeCalculation: () => 1 };
}

/** Minimum time between two sweeps of a full store. A sweep reads all entries. */
const SWEEP_EVERY_MS = 1_000;

/**
 * Creates shared state for one process. At `maxEntries` a new key deletes the expired entries, then evicts the least
 * recently used one, as Redis does with `allkeys-lru`. It needs no timers: an expired entry is invisible, and deleted
 * when it is read or its room is needed.
 *
 * @throws RangeError when `maxEntries` is not at least 1.
 *
 * @example
 * const state = createMemorySharedState({ maxEntries: 100_000 });
 * const requests = await state.increment('requests:ann', 60_000);
 */
export function createMemorySharedState(options: MemorySharedStateOptions): SharedState {
  return new MemorySharedState(options);
}

class MemorySharedState implements SharedState {
  readonly #maxEntries: number;
  readonly #clock: () => number;
  readonly #entries: LRUCache<string, Entry>;
  /** Time at which each bucket will be full. Evicting a bucket fills it. */
  readonly #buckets: LRUCache<string, number>;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor({ maxEntries, clock = Date.now, onEvict }: MemorySharedStateOptions) {
    if (!(maxEntries >= 1)) throw new RangeError('maxEntries must be at least 1');
    this.#maxEntries = maxEntries;
    this.#clock = clock;
    this.#entries = new LRUCache({
      ...boundedBy(maxEntries),
      dispose: ({ expiresAtMs }, key, reason) => {
        if (reason === 'evict' && expiresAtMs > clock()) onEvict?.(key);
      },
    });
    this.#buckets = new LRUCache(boundedBy(maxEntries));
  }

  async get(key: string): Promise<string | undefined> {
    this.#requireOpen();
    return this.#find(key)?.value;
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.#requireOpen();
    requireTtl(ttlMs);
    this.#put(key, { value, expiresAtMs: this.#clock() + ttlMs });
  }

  async increment(key: string, ttlMs: number): Promise<number> {
    this.#requireOpen();
    requireTtl(ttlMs);
    const entry = this.#find(key);
    const count = parseCount(entry?.value ?? '0') + 1;
    this.#put(key, { value: String(count), expiresAtMs: entry?.expiresAtMs ?? this.#clock() + ttlMs });
    return count;
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean> {
    this.#requireOpen();
    requireTtl(ttlMs);
    if (this.#find(key)) return false;
    this.#put(key, { value, expiresAtMs: this.#clock() + ttlMs });
    return true;
  }

  async compareAndSet(
    key: string,
    expected: string | undefined,
    value: string,
    ttlMs: number,
  ): Promise<boolean> {
    this.#requireOpen();
    requireTtl(ttlMs);
    if (this.#find(key)?.value !== expected) return false;
    this.#put(key, { value, expiresAtMs: this.#clock() + ttlMs });
    return true;
  }

  async takeTokens(buckets: readonly TokenBucket[], cost: number): Promise<TokenGrant> {
    this.#requireOpen();
    requireCost(cost);
    const before = buckets.map(({ key }) => this.#buckets.get(key));
    const { grant, fullAtMs } = decideTokens(buckets, cost, before, this.#clock());
    for (const [index, atMs] of fullAtMs.entries()) this.#buckets.set(buckets[index]!.key, atMs);
    return grant;
  }

  async delete(key: string): Promise<void> {
    this.#requireOpen();
    this.#entries.delete(key);
  }

  async ping(): Promise<void> {
    this.#requireOpen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
    this.#buckets.clear();
  }

  #find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry || entry.expiresAtMs > this.#clock()) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  #put(key: string, entry: Entry): void {
    if (this.#entries.size >= this.#maxEntries && !this.#entries.has(key)) this.#sweep();
    this.#entries.set(key, entry);
  }

  #sweep(): void {
    const now = this.#clock();
    if (now - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = now;
    const expired = [...this.#entries.entries()].filter(([, { expiresAtMs }]) => expiresAtMs <= now);
    for (const [key] of expired) this.#entries.delete(key);
  }

  #requireOpen(): void {
    if (this.#closed) throw new TidegateError('UNAVAILABLE', 'The shared state is closed.');
  }
}

function parseCount(value: string): number {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  throw notANumber();
}
