import { TidegateError } from '@tidegate/core';
import { retry } from '../resilience/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { describeFailure } from './describe-failure.ts';
import type { Readiness } from './readiness.ts';

export interface DependencyOptions {
  readonly logger: Logger;
  readonly readiness: Readiness;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

const WAIT = { firstMs: 500, maxMs: 5_000 };

/**
 * Connects, for as long as it takes: a backend that comes up later than we do is no reason to die. Each try that
 * fails is one log line; `/readyz` names the dependency until it is there, and by `ping` ever after.
 *
 * @throws TidegateError CONFIG_INVALID from `connect` at once, for waiting does not mend it; the signal's reason.
 */
export async function awaitDependency<T>(
  name: string,
  connect: () => Promise<T>,
  ping: ((value: T) => Promise<void>) | undefined,
  { logger, readiness, signal }: DependencyOptions,
): Promise<T> {
  let away: unknown = new Error('not connected yet');
  readiness.addCheck(name, () => {
    throw away;
  });
  const value = await retry(connect, {
    ...WAIT,
    attempts: Number.POSITIVE_INFINITY,
    signal,
    retryable: (error) => !(error instanceof TidegateError && error.code === 'CONFIG_INVALID'),
    onRetry: (error, attempt, delayMs) => {
      away = error;
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
