import { TidegateError } from '@tidegate/core';
import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  CountBreaker,
  handleWhen,
  type CircuitBreakerPolicy,
} from 'cockatiel';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** What is behind it, for the error and the log. */
  readonly name: string;
  /** How long it stays open before it lets one call through as a trial. Default 2 s. */
  readonly openMs?: number;
  /** Opens when more than this share (0 to 1) of the last `window` calls failed. Default 0.5. */
  readonly failureShare?: number;
  /** How many calls it looks back on. Default 20. */
  readonly window?: number;
  /** It does not judge on fewer calls than this. Default 5. */
  readonly minimumCalls?: number;
  /** Which errors say that the dependency is unwell. Default: UNAVAILABLE and DEADLINE_EXCEEDED. */
  readonly isFailure?: (error: unknown) => boolean;
  /** For a log line and a gauge. */
  readonly onStateChange?: (state: BreakerState) => void;
}

export interface Breaker {
  /** Closed until too much fails; open says nothing about now, only that nobody has called since `openMs` passed. */
  readonly state: BreakerState;
  /** @throws TidegateError UNAVAILABLE with `details.retryAfterMs`, without calling `run`, while it is open. */
  run<T>(run: () => Promise<T>): Promise<T>;
}

/**
 * A circuit breaker: after too many failures it answers UNAVAILABLE at once instead of making callers wait and the
 * dependency suffer. It has no timer: it stays open until it is called after `openMs`; that one call is the trial, and
 * its success alone closes the breaker, its failure opens it for another `openMs`.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const {
    name,
    openMs = 2_000,
    failureShare = 0.5,
    window = 20,
    minimumCalls = 5,
    isFailure = isUnwell,
  } = options;
  // A trial that was cancelled has heard nothing from the dependency; to cockatiel it would be a success.
  const failed = (error: unknown): boolean =>
    isFailure(error) || (policy.state === CircuitState.HalfOpen && !(error instanceof TidegateError));
  const policy: CircuitBreakerPolicy = circuitBreaker(handleWhen(failed), {
    halfOpenAfter: openMs,
    breaker: new CountBreaker({ threshold: failureShare, size: window, minimumNumberOfCalls: minimumCalls }),
  });
  policy.onStateChange((state) => options.onStateChange?.(stateNames[state]));

  async function run<T>(operation: () => Promise<T>): Promise<T> {
    // cockatiel would queue callers, unbounded, until the trial is over; they are better off knowing at once.
    if (policy.state === CircuitState.HalfOpen) throw broken(name, openMs);
    try {
      return await policy.execute(operation);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? broken(name, openMs) : error;
    }
  }

  return {
    get state() {
      return stateNames[policy.state];
    },
    run,
  };
}

const stateNames: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

function isUnwell(error: unknown): boolean {
  return error instanceof TidegateError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
}

function broken(name: string, openMs: number): TidegateError {
  return new TidegateError('UNAVAILABLE', `${name} has failed repeatedly and is left alone for a moment.`, {
    details: { retryAfterMs: openMs },
  });
}
