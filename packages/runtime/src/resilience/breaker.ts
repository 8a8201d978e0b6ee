import { TidegateError } from '@tidegate/core';
import type { Metrics } from '../telemetry/index.ts';
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
  /** Name of the dependency, for the error message. */
  readonly name: string;
  /** Shows the state as `tidegate_breaker_state`. Default: not shown. */
  readonly metrics?: Metrics | undefined;
  /** Short name of the dependency, the metric's label. Default: `name`. */
  readonly label?: string;
  /** Time in milliseconds after which an open breaker lets one trial call through. Default 2,000. */
  readonly openMs?: number;
  /** Share of failed calls (0 to 1) among the last `window` calls above which the breaker opens. Default 0.5. */
  readonly failureShare?: number;
  /** Number of recent calls that the share is computed over. Default 20. */
  readonly window?: number;
  /** Number of calls below which the breaker never opens. Default 5. */
  readonly minimumCalls?: number;
  /** Returns true for an error that counts as a failure of the dependency. Default: UNAVAILABLE, DEADLINE_EXCEEDED. */
  readonly isFailure?: (error: unknown) => boolean;
  /** Called at each change of the state, for a log line. */
  readonly onStateChange?: (state: BreakerState) => void;
}

export interface Breaker {
  /** An open breaker stays `open` after `openMs`, until the next call. */
  readonly state: BreakerState;
  /**
   * Runs `operation` unless the breaker is open.
   *
   * @throws TidegateError UNAVAILABLE with `details.retryAfterMs` while it is open, without calling `operation`.
   */
  run<T>(operation: () => Promise<T>): Promise<T>;
}

/**
 * Creates a circuit breaker: after too many failures it rejects calls with UNAVAILABLE instead of adding load to the
 * dependency. It has no timer. The first call after `openMs` is the trial: its success closes the breaker, its failure
 * opens it for another `openMs`.
 *
 * @example
 * const breaker = createBreaker({ name: 'counters', openMs: 1_000 });
 * const response = await breaker.run(() => fetch('http://127.0.0.1:4001/queries/getCounter'));
 */
export function createBreaker(options: BreakerOptions): Breaker {
  return new CockatielBreaker(options);
}

class CockatielBreaker implements Breaker {
  readonly #name: string;
  readonly #openMs: number;
  readonly #policy: CircuitBreakerPolicy;

  constructor(options: BreakerOptions) {
    const { name, openMs = 2_000, failureShare = 0.5, window = 20, minimumCalls = 5 } = options;
    const { isFailure = isDependencyFailure, onStateChange } = options;
    this.#name = name;
    this.#openMs = openMs;
    // A cancelled trial proves nothing about the dependency. Cockatiel would count it as a success.
    const failed = (error: unknown): boolean =>
      isFailure(error) || (this.#policy.state === CircuitState.HalfOpen && !(error instanceof TidegateError));
    this.#policy = circuitBreaker(handleWhen(failed), {
      halfOpenAfter: openMs,
      breaker: new CountBreaker({
        threshold: failureShare,
        size: window,
        minimumNumberOfCalls: minimumCalls,
      }),
    });
    const show = stateGauge(options);
    this.#policy.onStateChange((state) => {
      show(stateNames[state]);
      onStateChange?.(stateNames[state]);
    });
  }

  get state(): BreakerState {
    return stateNames[this.#policy.state];
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    // Cockatiel queues calls without a bound while a trial runs. Rejecting them at once keeps callers responsive.
    if (this.#policy.state === CircuitState.HalfOpen) throw this.#openError();
    try {
      return await this.#policy.execute(operation);
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#openError() : error;
    }
  }

  #openError(): TidegateError {
    const message = `${this.#name} has failed repeatedly and is left alone for a moment.`;
    return new TidegateError('UNAVAILABLE', message, { details: { retryAfterMs: this.#openMs } });
  }
}

const stateNames: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

function isDependencyFailure(error: unknown): boolean {
  return error instanceof TidegateError && ['UNAVAILABLE', 'DEADLINE_EXCEEDED'].includes(error.code);
}

/** Shows a breaker as closed. Returns a function that shows another state. */
function stateGauge({ metrics, name, label = name }: BreakerOptions): (state: BreakerState) => void {
  if (!metrics) return () => undefined;
  const gauge = metrics.gauge({
    name: 'tidegate_breaker_state',
    help: 'State of the breaker before a dependency: 1 for the present one, 0 for the others',
    labels: ['dependency', 'state'],
  });
  const show = (present: BreakerState): void => {
    for (const state of new Set(Object.values(stateNames)))
      gauge.set({ dependency: label, state }, state === present ? 1 : 0);
  };
  show('closed');
  return show;
}
