/**
 * Retries of a delivery.
 *
 * - 2xx ends a delivery as `delivered`, 410 Gone as `dead`. Any other outcome is a failure and is retried.
 * - After the nth failure the delivery waits for the nth entry of the schedule, give or take a random fifth, so that an
 *   endpoint that recovers is not hit by all waiting deliveries at once.
 * - `Retry-After` of the receiver is a minimum for that wait, up to one day.
 * - After a failure without an entry the delivery is `dead`.
 */
import { isGone, type AttemptOutcome } from '../attempt-outcome.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * Waits in milliseconds: ten attempts over 75 hours. With every wait a fifth shorter they still take 60 hours, so that an
 * outage of a day loses nothing.
 */
export const defaultRetryScheduleMs: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
/** Part of a wait by which it may be shorter or longer. */
const JITTER = 0.2;

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
  const waitMs = options.scheduleMs[failedAttempts - 1];
  if (waitMs === undefined) return undefined;
  const factor = 1 - JITTER + 2 * JITTER * (options.random ?? Math.random)();
  const jitteredMs = Math.round(waitMs * factor);
  return Math.max(jitteredMs, Math.min(options.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '(?<hour>\\d{2}):(?<minute>\\d{2}):(?<second>\\d{2})';
const MONTH = `(?<month>${MONTHS.join('|')})`;
/** The forms of HTTP-date (RFC 9110, 5.6.7): IMF-fixdate and the obsolete ones of RFC 850 and asctime. All are UTC. */
const HTTP_DATES = [
  `^[A-Z][a-z]{2}, (?<day>\\d{2}) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`,
  `^[A-Z][a-z]{5,8}, (?<day>\\d{2})-${MONTH}-(?<year>\\d{2}) ${TIME} GMT$`,
  `^[A-Z][a-z]{2} ${MONTH} (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`,
].map((pattern) => new RegExp(pattern));

/**
 * Parses `Retry-After` (RFC 9110, 10.2.3), which is seconds or a date. Returns milliseconds, at most a day's; undefined if
 * invalid.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) return Math.min(Number(text) * SECOND_MS, MAX_RETRY_AFTER_MS);
  const atMs = parseHttpDate(text, nowMs);
  return atMs === undefined ? undefined : Math.min(Math.max(0, atMs - nowMs), MAX_RETRY_AFTER_MS);
}

function parseHttpDate(text: string, nowMs: number): number | undefined {
  const parts = HTTP_DATES.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!parts) return undefined;
  const { year = '', month = '', day, hour, minute, second } = parts;
  const at = (fullYear: number): number =>
    Date.UTC(fullYear, MONTHS.indexOf(month), Number(day), Number(hour), Number(minute), Number(second));
  if (year.length === 4) return at(Number(year));
  // Two digits: more than 50 years in the future means the century before.
  const thisYear = new Date(nowMs).getUTCFullYear();
  const candidate = Math.floor(thisYear / 100) * 100 + Number(year);
  return at(candidate > thisYear + 50 ? candidate - 100 : candidate);
}
