const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The longest wait before each retry: nine attempts in at most 28 hours, so that a night's outage is survived. */
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

/** A receiver may ask for patience, not for ever. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS;

/**
 * How long to wait before the next attempt, with full jitter so that an endpoint that comes back is not met by all
 * that waited at once; undefined when the schedule is used up. `Retry-After` of the receiver is a minimum.
 */
export function retryDelayMs(
  failedAttempts: number,
  options: {
    readonly scheduleMs: readonly number[];
    readonly retryAfterMs?: number | undefined;
    readonly random?: () => number;
  },
): number | undefined {
  const ceilingMs = options.scheduleMs[failedAttempts - 1];
  if (ceilingMs === undefined) return undefined;
  const jitteredMs = Math.round((options.random ?? Math.random)() * ceilingMs);
  return Math.max(jitteredMs, Math.min(options.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds or a date. Undefined for anything else. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * SECOND_MS;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
