import type { BucketLevel, TokenBucket, TokenGrant } from './shared-state.ts';

/** Times since the epoch in milliseconds are exact to a fourth of a microsecond: a shortage below this is none. */
const ROUNDING_MS = 0.01;

/**
 * Decides on tokens. A bucket's state is one number: the time at which it will be full (the "theoretical arrival time"
 * of the generic cell rate algorithm). A bucket that is full has no state.
 *
 * @param fullAtMs time at which each bucket will be full, undefined for a full one.
 * @returns the grant, and the new times when it was granted.
 */
export function decideTokens(
  buckets: readonly TokenBucket[],
  cost: number,
  fullAtMs: readonly (number | undefined)[],
  nowMs: number,
): { readonly grant: TokenGrant; readonly fullAtMs: readonly number[] } {
  const states = buckets.map((bucket, index) => ({
    bucket,
    fullInMs: Math.max(0, (fullAtMs[index] ?? nowMs) - nowMs),
  }));
  const retryAfterMs = Math.max(0, ...states.map(({ bucket, fullInMs }) => waitMs(bucket, cost, fullInMs)));
  const granted = retryAfterMs === 0;
  const after = states.map(({ bucket, fullInMs }) => fullInMs + (granted ? msOf(bucket, cost) : 0));
  return {
    grant: encodeGrant(buckets, retryAfterMs, after),
    fullAtMs: granted ? after.map((fullInMs) => nowMs + fullInMs) : [],
  };
}

/** Describes the buckets after a decision. @param fullInMs time in milliseconds until each bucket is full. */
export function encodeGrant(
  buckets: readonly TokenBucket[],
  retryAfterMs: number,
  fullInMs: readonly number[],
): TokenGrant {
  const levels = buckets.map((bucket, index) => levelOf(bucket, fullInMs[index] ?? 0));
  return { granted: retryAfterMs === 0, retryAfterMs: Math.ceil(retryAfterMs), levels };
}

function levelOf(bucket: TokenBucket, fullInMs: number): BucketLevel {
  const tokens = bucket.capacity * (1 - fullInMs / bucket.refillMs);
  const rounding = (ROUNDING_MS * bucket.capacity) / bucket.refillMs;
  const fullIn = fullInMs > ROUNDING_MS ? Math.ceil(fullInMs) : 0;
  return { tokens: Math.max(0, Math.floor(tokens + rounding)), fullInMs: fullIn };
}

/** Time in milliseconds until the bucket grants the cost; 0: now. */
function waitMs(bucket: TokenBucket, cost: number, fullInMs: number): number {
  const needed = msOf(bucket, Math.min(cost, bucket.capacity));
  const missing = fullInMs + needed - bucket.refillMs;
  return missing > ROUNDING_MS ? missing : 0;
}

function msOf({ capacity, refillMs }: TokenBucket, tokens: number): number {
  return (tokens * refillMs) / capacity;
}
