/**
 * Retries of a delivery.
 *
 * - 2xx ends a delivery as `delivered`, 410 Gone as `dead`. Any other outcome is a failure and is retried.
 * - After the nth failure the delivery waits a random time between 0 and the nth entry of the schedule ("full
 *   jitter"), so that an endpoint that recovers is not hit by all waiting deliveries at once.
 * - `Retry-After` of the receiver is a minimum for that wait, up to one day.
 * - After a failure without an entry the delivery is `dead`.
 */
import { isGone, type AttemptOutcome } from '../attempt-outcome.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Maximum waits in milliseconds: nine attempts within at most 28 hours, which outlasts an outage of one night. */
export const defaultRetryScheduleMs: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  10 * HOUR_MS,
];

/** Upper limit of `Retry-After`, so that a receiver cannot postpone a delivery for ever. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/** State of a delivery after an attempt. */
export type NextStep =
  | { readonly status: 'delivered' }
  | { readonly status: 'pending'; readonly nextAttemptAt: number }
  | { readonly status: 'dead' };

/** Decides the state after an attempt. `attempts` counts the attempts made, this one included. */
export function nextStep(
  outcome: AttemptOutcome,
  options: { readonly attempts: number; readonly scheduleMs: readonly number[]; readonly nowMs: number },
): NextStep {
  if (outcome.result === 'delivered') return { status: 'delivered' };
  if (isGone(outcome)) return { status: 'dead' };
  const { attempts, scheduleMs, nowMs } = options;
  const delayMs = retryDelayMs(attempts, { scheduleMs, retryAfterMs: outcome.retryAfterMs });
  return delayMs === undefined ? { status: 'dead' } : { status: 'pending', nextAttemptAt: nowMs + delayMs };
}

/** Returns the wait before the next attempt in milliseconds, undefined when the schedule has no further entry. */
export function retryDelayMs(
  failedAttempts: number,
  options: {
    readonly scheduleMs: readonly number[];
    readonly retryAfterMs?: number | undefined;
    /** Returns a number from 0 up to 1. Default `Math.random`. */
    readonly random?: () => number;
  },
): number | undefined {
  const ceilingMs = options.scheduleMs[failedAttempts - 1];
  if (ceilingMs === undefined) return undefined;
  const jitteredMs = Math.round((options.random ?? Math.random)() * ceilingMs);
  return Math.max(jitteredMs, Math.min(options.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

/** Parses `Retry-After` (RFC 9110, 10.2.3), which is seconds or a date. Returns milliseconds, undefined if invalid. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * SECOND_MS;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
