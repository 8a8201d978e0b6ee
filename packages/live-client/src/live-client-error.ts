import type { GraphQLErrorLike } from './result.ts';

/** Codes after which the same subscription may succeed later. A test holds them to the product's table of errors. */
const retryableCodes: ReadonlySet<string> = new Set([
  'CONFLICT',
  'RATE_LIMITED',
  'TOO_MANY_CONNECTIONS',
  'TOO_MANY_SUBSCRIPTIONS',
  'STALE_READ',
  'SLOW_CONSUMER',
  'DRAINING',
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'INTERNAL',
]);

/**
 * The one error class of this package. `code` is a code of the gateway's table (docs/errors.md) or one of the client:
 *
 * - `NETWORK`: no answer arrived.
 * - `TIMEOUT`: the answer did not arrive within `queryTimeoutMs`.
 * - `BAD_RESPONSE`: the answer was not GraphQL.
 * - `CLOSED`: the client was closed.
 *
 * @example
 * ```ts
 * import { createLiveClient, LiveClientError } from '@tidegate/live-client';
 *
 * const client = createLiveClient({ url: '/graphql/web', token: async () => '' });
 * try {
 *   await client.query({ query: '{ sensors { id celsius } }' });
 * } catch (error) {
 *   if (!(error instanceof LiveClientError)) throw error;
 *   console.error(error.code, error.retryable ? `retry after ${error.retryAfterMs} ms` : 'do not retry');
 * }
 * ```
 */
export class LiveClientError extends Error {
  readonly code: string;
  /** GraphQL errors of the answer; empty when the error arose in the client. */
  readonly errors: readonly GraphQLErrorLike[];

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; errors?: readonly GraphQLErrorLike[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LiveClientError';
    this.code = code;
    this.errors = options.errors ?? [];
  }

  /** True when the same request may succeed later. */
  get retryable(): boolean {
    return retryableCodes.has(this.code) || this.code === 'NETWORK' || this.code === 'TIMEOUT';
  }

  /** Wait that the server asked for, in milliseconds; 0 when it named none. */
  get retryAfterMs(): number {
    const value = this.errors[0]?.extensions?.['retryAfterMs'];
    return typeof value === 'number' && value > 0 ? value : 0;
  }
}

/** Takes code and message from the first error. The code is `BAD_RESPONSE` when that error has none. */
export function fromGraphQLErrors(errors: readonly GraphQLErrorLike[]): LiveClientError {
  const first = errors[0];
  const code = first?.extensions?.['code'];
  return new LiveClientError(
    typeof code === 'string' ? code : 'BAD_RESPONSE',
    first?.message ?? 'The server reported an error without saying which.',
    { errors },
  );
}
