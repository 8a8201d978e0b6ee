import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Heartbeats } from './heartbeats.ts';

describe('heartbeats', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const beating = (heartbeats: Heartbeats, count: number) => {
    const beats = Array.from({ length: count }, () => 0);
    const stops = beats.map((_, index) => heartbeats.start(() => void beats[index]!++));
    return { beats, stops };
  };

  it('reach each connection once per period', () => {
    const { beats } = beating(new Heartbeats(15_000), 40);
    vi.advanceTimersByTime(15_000);
    expect(beats).toEqual(beats.map(() => 1));
    vi.advanceTimersByTime(30_000);
    expect(beats).toEqual(beats.map(() => 3));
  });

  it('are spread over the period, a group of connections at a time', () => {
    const { beats } = beating(new Heartbeats(15_000), 60);
    const sum = (): number => beats.reduce((total, each) => total + each);
    for (let second = 1; second <= 15; second++) {
      vi.advanceTimersByTime(1_000);
      expect(sum()).toBe(4 * second);
    }
  });

  it('stop with their connection and leave no timer behind', () => {
    const { beats, stops } = beating(new Heartbeats(15_000), 2);
    stops[0]!();
    stops[0]!();
    vi.advanceTimersByTime(15_000);
    expect(beats).toEqual([0, 1]);
    stops[1]!();
    expect(vi.getTimerCount()).toBe(0);
  });
});
