import { backoffMs, delay, type BackoffOptions } from './backoff.ts';

export interface RetryOptions extends BackoffOptions {
  /** Tries in all; Infinity is allowed when `signal` can end it. */
  readonly attempts: number;
  readonly signal?: AbortSignal;
  /** False ends the retrying with this error. Default: every error is retried. */
  readonly retryable?: (error: unknown) => boolean;
  /** Called before each wait, for one clear log line. */
  readonly onRetry?: (error: unknown, attempt: number, delayMs: number) => void;
}

/** Calls `operation` until it resolves, the attempts are used up, the error is final or the signal aborts. */
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
