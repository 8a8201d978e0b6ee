import type { GraphQLErrorLike } from './types.ts';

/** Codes after which the same subscription may work a moment later. A test holds them to the table of errors. */
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
 * The one error of this package. `code` is a code of the gateway's table, or `NETWORK` when no answer came,
 * `TIMEOUT` when it came too late, `BAD_RESPONSE` when it was not GraphQL, `CLOSED` after `close()`.
 */
export class LiveClientError extends Error {
  readonly code: string;
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

  get retryable(): boolean {
    return retryableCodes.has(this.code) || this.code === 'NETWORK' || this.code === 'TIMEOUT';
  }

  /** How long the server asked to wait, 0 when it did not say. */
  get retryAfterMs(): number {
    const value = this.errors[0]?.extensions?.['retryAfterMs'];
    return typeof value === 'number' && value > 0 ? value : 0;
  }
}

/** The first error speaks for all; one without a code is ours to call BAD_RESPONSE. */
export function fromGraphQLErrors(errors: readonly GraphQLErrorLike[]): LiveClientError {
  const first = errors[0];
  const code = first?.extensions?.['code'];
  return new LiveClientError(
    typeof code === 'string' ? code : 'BAD_RESPONSE',
    first?.message ?? 'The server reported an error without saying which.',
    { errors },
  );
}
