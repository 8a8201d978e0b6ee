import { defaultRetryScheduleMs } from './deliveries/retry-schedule.ts';

/** Limits of a dispatcher. Durations are in milliseconds. */
export interface DispatcherLimits {
  /** Maximum wait before each retry. After the last one the delivery is dead. Default: `defaultRetryScheduleMs`. */
  readonly retryScheduleMs: readonly number[];
  /** Limit of one attempt, from connecting to the end of the answer. Default 10 s. */
  readonly deadlineMs: number;
  /** Maximum attempts in flight. Default 256. */
  readonly maxConcurrent: number;
  /** Maximum attempts in flight to one endpoint. Default 8. */
  readonly maxConcurrentPerEndpoint: number;
  /** Maximum attempts in flight to the endpoints of one partner. Default 32. */
  readonly maxConcurrentPerPartner: number;
  /** Time after which another dispatcher takes over the deliveries of one that died. Above `deadlineMs`. Default 40 s. */
  readonly leaseMs: number;
  /** An endpoint that fails for this long without a success is disabled. Default 5 days. */
  readonly disableAfterMs: number;
  /** An endpoint with more pending deliveries is disabled. Default 100,000. */
  readonly maxPendingPerEndpoint: number;
  /** Retention of delivered deliveries. Default 7 days. */
  readonly keepDeliveredMs: number;
  /** Retention of dead deliveries. Default 30 days. */
  readonly keepDeadMs: number;
  /** Time between two sweeps of old deliveries. Default 1 min. */
  readonly sweepIntervalMs: number;
  /** Maximum time between two looks for due deliveries. Signals wake the dispatcher earlier. Default 1 s. */
  readonly pollMs: number;
  /** Time that `stop` waits for attempts in flight. Default 3 s. */
  readonly stopGraceMs: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export const defaultDispatcherLimits: DispatcherLimits = {
  retryScheduleMs: defaultRetryScheduleMs,
  deadlineMs: 10_000,
  maxConcurrent: 256,
  maxConcurrentPerEndpoint: 8,
  maxConcurrentPerPartner: 32,
  leaseMs: 40_000,
  disableAfterMs: 5 * DAY_MS,
  maxPendingPerEndpoint: 100_000,
  keepDeliveredMs: 7 * DAY_MS,
  keepDeadMs: 30 * DAY_MS,
  sweepIntervalMs: 60_000,
  pollMs: 1_000,
  stopGraceMs: 3_000,
};
