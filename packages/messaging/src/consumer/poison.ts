import { TidegateError } from '@tidegate/core';
import type { LogRecord } from '@tidegate/event-log';

export interface PoisonWatch {
  /** Counts a failure; true when the record has had its attempts and will never succeed. */
  isPoison(record: LogRecord, error: unknown): boolean;
}

/** A record that fails holds its partition up, so one count a partition is all there is to remember. */
export function createPoisonWatch(maxAttempts: number): PoisonWatch {
  const failing = new Map<string, { offset: number; failures: number }>();
  return {
    isPoison(record, error) {
      // Retryable, or a fault nobody foresaw: skipping it would lose a change, so it is tried for ever.
      if (!(error instanceof TidegateError) || error.retryable) return false;
      const partition = `${record.topic}/${record.partition}`;
      const before = failing.get(partition);
      const failures = before?.offset === record.offset ? before.failures + 1 : 1;
      failing.set(partition, { offset: record.offset, failures });
      return failures >= maxAttempts;
    },
  };
}
