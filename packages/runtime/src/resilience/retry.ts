import { backoffMs, delay, type BackoffOptions } from './backoff.ts';

export interface RetryOptions extends BackoffOptions {
  /** Maximum number of attempts, the first included. Infinity is allowed when `signal` can end the retries. */
  readonly attempts: number;
  /** Ends the retries, also during a delay; `retry` then rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Returns false for a final error, which ends the retries. Default: every error is retried. */
  readonly retryable?: (error: unknown) => boolean;
  /** Called before each delay, for a log line. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
}

/**
 * Calls `operation` until it resolves, and waits with backoff between attempts.
 *
 * Cockatiel's retry is not used: its delay does not end when the signal aborts.
 *
 * @throws the last error when the attempts are used up or the error is final; the signal's reason when it aborts.
 *
 * @example
 * const connection = await retry(() => connect(), { attempts: 5, firstMs: 100, maxMs: 5_000 });
 */
export async function retry<T>(
  operation: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (options.signal?.aborted || attempt >= options.attempts || options.retryable?.(error) === false)
        throw error;
      const delayMs = backoffMs(attempt, options);
      options.onRetry?.(error, attempt, delayMs);
      await delay(delayMs, options.signal);
    }
  }
}
