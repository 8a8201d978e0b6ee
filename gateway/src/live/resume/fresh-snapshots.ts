import { TidegateError, toTidegateError } from '@tidegate/core';
import { retry } from '@tidegate/runtime/resilience';
import type { FrameBatch } from '../group/frame-batch.ts';
import { notFound } from './snapshot.ts';

/** A snapshot is shared by all requests within this time: the subscriptions of a group miss the same change. */
const SHARED_MS = 5_000;
const RETRIES = { attempts: 6, firstMs: 100, maxMs: 5_000 };

/** Snapshots for subscriptions of one group that cannot continue by changes. Concurrent requests share one read. */
export class FreshSnapshots {
  readonly #read: () => Promise<FrameBatch | undefined>;
  #shared:
    | { readonly atLeast: number; readonly askedAtMs: number; readonly batch: Promise<FrameBatch> }
    | undefined;

  constructor(read: () => Promise<FrameBatch | undefined>) {
    this.#read = read;
  }

  /**
   * Reads the state at this version or later. Retries with backoff while the source is unavailable or behind.
   *
   * @throws TidegateError STALE_READ when the source stays behind; otherwise the error of the last read.
   */
  atLeast(version: number): Promise<FrameBatch> {
    const known = this.#shared;
    if (known && known.atLeast >= version && Date.now() - known.askedAtMs < SHARED_MS) return known.batch;
    const batch = retry(() => this.#readAtLeast(version), {
      ...RETRIES,
      retryable: (error) => toTidegateError(error).retryable,
    });
    const shared = { atLeast: version, askedAtMs: Date.now(), batch };
    this.#shared = shared;
    batch.catch(() => {
      // Later requests read again.
      if (this.#shared === shared) this.#shared = undefined;
    });
    return batch;
  }

  async #readAtLeast(version: number): Promise<FrameBatch> {
    const batch = await this.#read();
    if (!batch) throw notFound();
    if (batch.frames[0].version < version) {
      throw new TidegateError('STALE_READ', 'The state that was read is older than its changes; come back.');
    }
    return batch;
  }
}
