import { describe, expect, it } from 'vitest';
import { defaultRetryScheduleMs, parseRetryAfter, retryDelayMs } from './retry-schedule.ts';

describe('the retry schedule', () => {
  const scheduleMs = [100, 1_000];

  it('waits up to the entry of the failed attempt, with full jitter', () => {
    expect(retryDelayMs(1, { scheduleMs, random: () => 0 })).toBe(0);
    expect(retryDelayMs(1, { scheduleMs, random: () => 0.5 })).toBe(50);
    expect(retryDelayMs(2, { scheduleMs, random: () => 0.999 })).toBe(999);
  });

  it('has no retry after the last entry', () => {
    expect(retryDelayMs(3, { scheduleMs })).toBeUndefined();
    expect(retryDelayMs(defaultRetryScheduleMs.length + 1, { scheduleMs: defaultRetryScheduleMs })).toBe(
      undefined,
    );
  });

  it('waits at least as long as Retry-After, up to one day', () => {
    expect(retryDelayMs(1, { scheduleMs, retryAfterMs: 7_000 })).toBe(7_000);
    expect(retryDelayMs(1, { scheduleMs, retryAfterMs: 1e12 })).toBe(24 * 60 * 60 * 1000);
  });

  it('parses Retry-After as seconds or as a date', () => {
    const now = Date.parse('2026-11-01T12:00:00Z');
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Sun, 01 Nov 2026 12:00:30 GMT', now)).toBe(30_000);
    expect(parseRetryAfter('Sun, 01 Nov 2026 11:00:00 GMT', now)).toBe(0);
    expect(parseRetryAfter('soon', now)).toBeUndefined();
    expect(parseRetryAfter(undefined, now)).toBeUndefined();
  });
});
