import { describe, expect, it } from 'vitest';
import { defaultRetryScheduleMs, nextStep, parseRetryAfter, retryDelayMs } from './retry-schedule.ts';

const HOUR_MS = 60 * 60 * 1_000;

describe('the retry schedule', () => {
  const scheduleMs = [100, 1_000];

  it('waits for the entry of the failed attempt, give or take a fifth', () => {
    expect(retryDelayMs(1, { scheduleMs, random: () => 0 })).toBe(80);
    expect(retryDelayMs(1, { scheduleMs, random: () => 0.5 })).toBe(100);
    expect(retryDelayMs(2, { scheduleMs, random: () => 0.999_999 })).toBe(1_200);
  });

  it('has no retry after the last entry', () => {
    expect(retryDelayMs(3, { scheduleMs })).toBeUndefined();
    expect(retryDelayMs(defaultRetryScheduleMs.length + 1, { scheduleMs: defaultRetryScheduleMs })).toBe(
      undefined,
    );
  });

  it('makes ten attempts over 75 hours', () => {
    const totalMs = defaultRetryScheduleMs.reduce((sum, waitMs) => sum + waitMs, 0);
    expect([defaultRetryScheduleMs.length + 1, Math.floor(totalMs / HOUR_MS)]).toEqual([10, 75]);
  });

  it('loses nothing to an outage of 24 hours, whenever it begins and whatever the jitter is', () => {
    const failed = { result: 'failed', reason: 'CONNECTION_FAILED' } as unknown as Parameters<
      typeof nextStep
    >[0];
    const delivered = { result: 'delivered' } as unknown as Parameters<typeof nextStep>[0];
    let lost = 0;
    for (let run = 0; run < 2_000; run++) {
      const outageFromMs = Math.random() * 48 * HOUR_MS;
      const isAway = (atMs: number): boolean => atMs >= outageFromMs && atMs < outageFromMs + 24 * HOUR_MS;
      // Accepted during the outage: one that comes before or after it is delivered at once.
      let nowMs = outageFromMs + Math.random() * 24 * HOUR_MS;
      for (let attempts = 1; ; attempts++) {
        const outcome = isAway(nowMs) ? failed : delivered;
        const next = nextStep(outcome, { attempts, scheduleMs: defaultRetryScheduleMs, nowMs });
        if (next.status === 'pending') nowMs = next.nextAttemptAt;
        else {
          if (next.status === 'dead') lost += 1;
          break;
        }
      }
    }
    expect(lost).toBe(0);
  });

  it('waits at least as long as Retry-After, up to one day', () => {
    expect(retryDelayMs(1, { scheduleMs, retryAfterMs: 7_000 })).toBe(7_000);
    expect(retryDelayMs(1, { scheduleMs, retryAfterMs: 1e12 })).toBe(24 * HOUR_MS);
  });

  const now = Date.parse('2026-11-01T12:00:00Z');

  it.each([
    ['120', 120_000],
    ['0', 0],
    [' 120 ', 120_000],
    ['999999999999999999999999', 24 * HOUR_MS],
    ['Sun, 01 Nov 2026 12:00:30 GMT', 30_000],
    ['Sun, 01 Nov 2026 11:00:00 GMT', 0],
    ['Sunday, 01-Nov-26 12:00:30 GMT', 30_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
    ['Sun Nov  1 12:00:30 2026', 30_000],
    ['Fri Nov 13 12:00:30 2026', 24 * HOUR_MS],
  ])('takes Retry-After: %s', (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });

  it.each([
    ...['soon', '', '-5', '1.5', '+3', '0x10', '1e3', '2026-11-01T12:00:30Z', '12:00:30', 'Sun, 01 Nov 2026'],
    ...['Sun, 1 Nov 2026 12:00:30 GMT', 'Sun, 01 Nov 2026 12:00:30 CET', undefined],
  ])('ignores Retry-After: %s', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });
});
