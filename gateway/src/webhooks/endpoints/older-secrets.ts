import { TidegateError } from '@tidegate/core';
import type { EndpointRow } from '../tables.ts';

/** Time in milliseconds for which a replaced secret signs as well. */
export const SECRET_OVERLAP_MS = 24 * 60 * 60 * 1000;

/** Maximum replaced secrets that sign at once: each adds a signature to every message. */
const MAX_OLDER_SECRETS = 4;

/** A replaced secret. */
export interface OlderSecret {
  /** Sealed by `SecretBox`. */
  readonly secret: string;
  /** End of its use, epoch milliseconds. */
  readonly until: number;
}

/** Returns the replaced secrets of an endpoint, newest first. Some may have ended. */
export function olderSecretsOf({ older_secrets }: Pick<EndpointRow, 'older_secrets'>): OlderSecret[] {
  return JSON.parse(older_secrets) as OlderSecret[];
}

/**
 * Returns the replaced secrets of an endpoint whose current secret is replaced now. Secrets that have ended are dropped.
 *
 * @throws TidegateError RATE_LIMITED when four others still sign; `retryAfterMs` is the rest of the oldest one's time.
 */
export function replacedSecrets(row: Pick<EndpointRow, 'secret' | 'older_secrets'>, nowMs: number): string {
  const valid = olderSecretsOf(row).filter(({ until }) => until > nowMs);
  const oldest = valid.at(-1);
  if (valid.length >= MAX_OLDER_SECRETS && oldest)
    throw new TidegateError(
      'RATE_LIMITED',
      `${MAX_OLDER_SECRETS} replaced secrets of this endpoint still sign; rotate again once the oldest has ended.`,
      { details: { max: MAX_OLDER_SECRETS, retryAfterMs: oldest.until - nowMs } },
    );
  const replaced: OlderSecret = { secret: row.secret, until: nowMs + SECRET_OVERLAP_MS };
  return JSON.stringify([replaced, ...valid]);
}
