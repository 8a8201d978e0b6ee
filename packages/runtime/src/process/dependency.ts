import { TidegateError } from '@tidegate/core';
import { retry } from '../resilience/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { describeFailure } from './describe-failure.ts';
import type { Readiness } from './readiness.ts';

export interface DependencyOptions {
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Ends the retrying. */
  readonly signal: AbortSignal;
}

/** A database, log or store as a process sees it. */
export interface Backend {
  /** Rejects when the backend does not answer in time. */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const RETRY = { firstMs: 500, maxMs: 5_000 };

/**
 * Connects, retrying until it succeeds: a backend that starts later than the process is no reason to exit. Each failed
 * attempt is one log line. `/readyz` names the dependency until it is connected, and runs `ping` from then on.
 *
 * @throws TidegateError CONFIG_INVALID from `connect` at once, because a retry cannot succeed; the signal's reason.
 */
export async function awaitDependency<T>(
  name: string,
  connect: () => Promise<T>,
  ping: ((value: T) => Promise<void>) | undefined,
  { logger, readiness, signal }: DependencyOptions,
): Promise<T> {
  let failure: unknown = new Error('not connected yet');
  readiness.addCheck(name, () => {
    throw failure;
  });
  const value = await retry(connect, {
    ...RETRY,
    attempts: Number.POSITIVE_INFINITY,
    signal,
    retryable: (error) => !(error instanceof TidegateError && error.code === 'CONFIG_INVALID'),
    onRetry: (error, attempt, delayMs) => {
      failure = error;
      const reason = describeFailure(error);
      logger.warn(
        { dependency: name, attempt, delayMs, reason },
        `${name} cannot be reached (${reason}); trying again in ${delayMs} ms`,
      );
    },
  });
  readiness.addCheck(name, () => ping?.(value));
  logger.info({ dependency: name }, `${name} is connected`);
  return value;
}
