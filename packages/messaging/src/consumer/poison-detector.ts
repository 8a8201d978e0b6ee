import { TidegateError } from '@tidegate/core';
import { isValueRefusal } from '@tidegate/database';
import type { LogRecord } from '@tidegate/event-log';

/**
 * Counts failed attempts to handle a record. A failing record blocks its partition, so one counter per partition is
 * enough.
 */
export class PoisonDetector {
  readonly #maxAttempts: number;
  readonly #failing = new Map<string, { readonly offset: number; readonly failures: number }>();

  /** `maxAttempts`: failures with an error for the record's own sake after which the record counts as poison. */
  constructor(maxAttempts: number) {
    this.#maxAttempts = maxAttempts;
  }

  /** Counts one failure. Returns true when the record has failed `maxAttempts` times and will never succeed. */
  isPoison(record: LogRecord, error: unknown): boolean {
    // A retryable or unexpected error is retried indefinitely: skipping the record would lose a change.
    const isOwnFault = error instanceof TidegateError ? !error.retryable : isValueRefusal(error);
    if (!isOwnFault) return false;
    const partition = `${record.topic}/${record.partition}`;
    const previous = this.#failing.get(partition);
    const failures = previous?.offset === record.offset ? previous.failures + 1 : 1;
    this.#failing.set(partition, { offset: record.offset, failures });
    return failures >= this.#maxAttempts;
  }
}
