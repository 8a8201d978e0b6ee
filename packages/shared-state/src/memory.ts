import { TidegateError } from '@tidegate/core';
import { notANumber, requireTtl } from './refusals.ts';
import type { SharedState } from './shared-state.ts';

export interface MemorySharedStateOptions {
  /** Most keys held at once. */
  readonly maxEntries: number;
  readonly clock?: () => number;
  /** Called for each live value that had to go early; for a metric. */
  readonly onEvict?: (key: string) => void;
}

interface Entry {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** A full store looks for expired entries at most this often: each look goes through all of them. */
const SWEEP_EVERY_MS = 1_000;

/**
 * Shared state for one process. Bounded: when a new key comes and `maxEntries` are held, expired ones go first, then
 * the one that was used longest ago, as Redis does with `allkeys-lru`. No timers: expired entries stay, unseen, until
 * they are asked for or the room is needed.
 */
export function createMemorySharedState(options: MemorySharedStateOptions): SharedState {
  const { maxEntries, clock = Date.now, onEvict } = options;
  if (!(maxEntries >= 1)) throw new RangeError('maxEntries must be at least 1');
  /** In order of use, oldest first: a Map keeps the order of insertion. */
  const entries = new Map<string, Entry>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;
  let closed = false;

  function find(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (!entry) return undefined;
    entries.delete(key);
    if (entry.expiresAtMs <= clock()) return undefined;
    entries.set(key, entry);
    return entry;
  }

  function put(key: string, entry: Entry): void {
    entries.delete(key);
    if (entries.size >= maxEntries) makeRoom();
    entries.set(key, entry);
  }

  function makeRoom(): void {
    const now = clock();
    if (now - sweptAtMs >= SWEEP_EVERY_MS) {
      sweptAtMs = now;
      for (const [key, { expiresAtMs }] of entries) if (expiresAtMs <= now) entries.delete(key);
    }
    if (entries.size < maxEntries) return;
    const [oldest] = entries.entries();
    if (!oldest) return;
    entries.delete(oldest[0]);
    if (oldest[1].expiresAtMs > now) onEvict?.(oldest[0]);
  }

  function requireOpen(): void {
    if (closed) throw new TidegateError('UNAVAILABLE', 'The shared state is closed.');
  }

  return {
    async get(key) {
      requireOpen();
      return find(key)?.value;
    },
    async set(key, value, ttlMs) {
      requireOpen();
      requireTtl(ttlMs);
      put(key, { value, expiresAtMs: clock() + ttlMs });
    },
    async increment(key, ttlMs) {
      requireOpen();
      requireTtl(ttlMs);
      const known = find(key);
      const count = parseCount(known?.value ?? '0') + 1;
      put(key, { value: String(count), expiresAtMs: known?.expiresAtMs ?? clock() + ttlMs });
      return count;
    },
    async setIfAbsent(key, value, ttlMs) {
      requireOpen();
      requireTtl(ttlMs);
      if (find(key)) return false;
      put(key, { value, expiresAtMs: clock() + ttlMs });
      return true;
    },
    async delete(key) {
      requireOpen();
      entries.delete(key);
    },
    async ping() {
      requireOpen();
    },
    async close() {
      closed = true;
      entries.clear();
    },
  };
}

function parseCount(value: string): number {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  throw notANumber();
}
