import { type InputOf, type OperationDefinition, type OutputOf, TidegateError } from '@tidegate/core';
import {
  createBreaker,
  retry,
  withDeadline,
  type Breaker,
  type BreakerOptions,
} from '@tidegate/runtime/resilience';
import { silentLogger, withSpan, type Logger } from '@tidegate/runtime/telemetry';
import { exchange, unavailable, type ServiceAddress } from './exchange.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly traceparent?: string | undefined;
  /** For this call, e.g. one that asks a view to wait. Default: the client's. */
  readonly deadlineMs?: number;
}

export interface ServiceClient {
  /**
   * Calls an operation, in process or over HTTP alike.
   *
   * @throws the TidegateError that the service answered with; UNAVAILABLE; DEADLINE_EXCEEDED; the reason of
   *   `options.signal` when it aborts.
   */
  call<Definition extends OperationDefinition>(
    definition: Definition,
    input: InputOf<Definition>,
    options?: CallOptions,
  ): Promise<OutputOf<Definition>>;
}

export interface ServiceClientOptions {
  /** Each service's handler, to be called in process, or base URL. */
  readonly services: Readonly<Record<string, ServiceAddress>>;
  /** For a whole call with all its tries. Default 5 s. */
  readonly deadlineMs?: number;
  /** Of each service's breaker; the tests have shorter ones. */
  readonly breaker?: Omit<BreakerOptions, 'name' | 'onStateChange'>;
  readonly logger?: Logger;
}

const QUERY_TRIES = { attempts: 3, firstMs: 25, maxMs: 250 };

/**
 * The way from the gateway to the services: a deadline for each call, a breaker for each service, and up to three
 * tries for queries. A command is sent once: its caller holds the `commandId` under which repeating is safe.
 */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const { services, deadlineMs: defaultDeadlineMs = 5_000, logger = silentLogger } = options;
  const breakers = new Map<string, Breaker>();

  function breakerOf(service: string): Breaker {
    const known = breakers.get(service);
    if (known) return known;
    const breaker = createBreaker({
      ...options.breaker,
      name: `The service ${service}`,
      onStateChange: (state) => logger.warn({ service, state }, `the breaker of ${service} is now ${state}`),
    });
    breakers.set(service, breaker);
    return breaker;
  }

  async function call<Definition extends OperationDefinition>(
    definition: Definition,
    input: InputOf<Definition>,
    { signal, traceparent, deadlineMs = defaultDeadlineMs }: CallOptions = {},
  ): Promise<OutputOf<Definition>> {
    const { service, name, kind } = definition;
    const address = services[service];
    if (!address) throw unavailable(definition, 'no address is configured for it');
    const breaker = breakerOf(service);
    const tries = { ...QUERY_TRIES, attempts: kind === 'queries' ? QUERY_TRIES.attempts : 1 };
    const attributes = { 'tidegate.service': service, 'tidegate.operation': name };

    return withSpan(`call ${name}`, { traceparent, attributes }, (child) =>
      withDeadline(deadlineMs, signal, (deadline) =>
        retry(
          () =>
            breaker.run(() =>
              // Once more inside: the breaker must hear of the end even of a handler that ignores its signal.
              withDeadline(deadlineMs, deadline, (inner) =>
                exchange(address, definition, input, { signal: inner, traceparent: child }),
              ),
            ),
          { ...tries, signal: deadline, retryable: isWorthRepeating },
        ),
      ),
    );
  }

  return { call };
}

/** Not what asks for a pause (`retryAfterMs`: a rate limit, an open breaker), nor what has used its time up. */
function isWorthRepeating(error: unknown): boolean {
  if (!(error instanceof TidegateError) || error.details['retryAfterMs'] !== undefined) return false;
  return error.retryable && error.code !== 'DEADLINE_EXCEEDED' && error.code !== 'STALE_READ';
}
