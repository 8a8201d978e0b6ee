import { type InputOf, type OperationDefinition, type OutputOf, TidegateError } from '@tidegate/core';
import {
  createBreaker,
  retry,
  withDeadline,
  type Breaker,
  type BreakerOptions,
} from '@tidegate/runtime/resilience';
import { silentLogger, withSpan, type Logger, type Metrics } from '@tidegate/runtime/telemetry';
import type { CallerKeys } from '../callers/caller-keys.ts';
import { exchange, unavailable, type ServiceAddress } from './exchange.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly traceparent?: string | undefined;
  /** Deadline of this call in milliseconds, all attempts together. Default: the client's. */
  readonly deadlineMs?: number;
}

export interface ServiceClient {
  /**
   * Calls an operation, in process or over HTTP alike.
   *
   * @throws the TidegateError that the service answered with; TidegateError UNAVAILABLE when it cannot be reached,
   *   DEADLINE_EXCEEDED after the deadline; the reason of `options.signal` when it aborts.
   */
  call<Definition extends OperationDefinition>(
    definition: Definition,
    input: InputOf<Definition>,
    options?: CallOptions,
  ): Promise<OutputOf<Definition>>;
}

export interface ServiceClientOptions {
  /** Address of each service by name. */
  readonly services: Readonly<Record<string, ServiceAddress>>;
  /** Deadline of a call in milliseconds, all attempts together. Default 5,000. */
  readonly deadlineMs?: number;
  /** Options of each service's breaker. Default: those of `createBreaker`. */
  readonly breaker?: Omit<BreakerOptions, 'name' | 'label' | 'metrics' | 'onStateChange'>;
  readonly logger?: Logger;
  /** Shows the state of each breaker. Default: not shown. */
  readonly metrics?: Metrics;
  /** Sign calls of other processes, which refuse unsigned ones: see `runService`. Default: calls are not signed. */
  readonly callerKeys?: CallerKeys;
}

const DEADLINE_MS = 5_000;
const QUERY_RETRIES = { attempts: 3, firstMs: 25, maxMs: 250 };

/**
 * Creates a client of services with a deadline for each call, a breaker for each service, and up to three attempts for a
 * query. A command is sent once: its caller has the `commandId` under which it may repeat it safely.
 *
 * @example
 * const services = createServiceClient({ services: { bookings: 'http://127.0.0.1:4101' } });
 * const { bookingId } = await services.call(bookTrip, { commandId: randomUUID(), tripId: 'trip-1' });
 */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  return new BreakingServiceClient(options);
}

class BreakingServiceClient implements ServiceClient {
  readonly #options: ServiceClientOptions;
  readonly #breakers = new Map<string, Breaker>();

  constructor(options: ServiceClientOptions) {
    this.#options = options;
  }

  async call<Definition extends OperationDefinition>(
    definition: Definition,
    input: InputOf<Definition>,
    { signal, traceparent, deadlineMs = this.#options.deadlineMs ?? DEADLINE_MS }: CallOptions = {},
  ): Promise<OutputOf<Definition>> {
    const { service, name, kind } = definition;
    const { callerKeys } = this.#options;
    const address = this.#options.services[service];
    if (!address) throw unavailable(definition, 'no address is configured for it');
    const breaker = this.#breakerOf(service);
    const attempts = kind === 'queries' ? QUERY_RETRIES.attempts : 1;
    const attributes = { 'tidegate.service': service, 'tidegate.operation': name };

    return withSpan(`call ${name}`, { traceparent, attributes }, (child) =>
      withDeadline(deadlineMs, signal, (deadline) =>
        retry(
          () =>
            breaker.run(() =>
              // The inner deadline ends the attempt for the breaker even when a handler ignores its signal.
              withDeadline(deadlineMs, deadline, (inner) =>
                exchange(address, definition, input, { signal: inner, traceparent: child, callerKeys }),
              ),
            ),
          { ...QUERY_RETRIES, attempts, signal: deadline, retryable: isRetryable },
        ),
      ),
    );
  }

  #breakerOf(service: string): Breaker {
    const known = this.#breakers.get(service);
    if (known) return known;
    const { logger = silentLogger, metrics } = this.#options;
    const breaker = createBreaker({
      ...this.#options.breaker,
      name: `The service ${service}`,
      label: service,
      metrics,
      onStateChange: (state) => logger.warn({ service, state }, `the breaker of ${service} is now ${state}`),
    });
    this.#breakers.set(service, breaker);
    return breaker;
  }
}

/** False for an error with a pause (`retryAfterMs`: a rate limit, an open breaker) and for one after the deadline. */
function isRetryable(error: unknown): boolean {
  if (!(error instanceof TidegateError) || error.details['retryAfterMs'] !== undefined) return false;
  return error.retryable && error.code !== 'DEADLINE_EXCEEDED' && error.code !== 'STALE_READ';
}
