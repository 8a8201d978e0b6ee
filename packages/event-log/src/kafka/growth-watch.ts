import { delay } from '@tidegate/runtime/resilience';

export interface GrowthWatchOptions {
  readonly topics: readonly string[];
  /** Returns the number of a topic's partitions. */
  readonly countOf: (topic: string) => Promise<number>;
  /** Interval in milliseconds. */
  readonly everyMs: number;
}

/**
 * Resolves when one of the topics has more partitions than at the first look. Never rejects: it looks again after
 * a failure. Resolves as well when the signal aborts.
 */
export async function untilGrown(options: GrowthWatchOptions, signal: AbortSignal): Promise<void> {
  const { topics, countOf, everyMs } = options;
  const known = new Map<string, number>();
  while (!signal.aborted) {
    for (const topic of topics) {
      const count = await countOf(topic).catch(() => undefined);
      if (count === undefined) continue;
      const before = known.get(topic) ?? count;
      if (count > before) return;
      known.set(topic, count);
    }
    await delay(everyMs, signal).catch(() => undefined);
  }
}
