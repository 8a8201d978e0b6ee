import { TidegateError } from '@tidegate/core';
import { deferred } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBreaker, type Breaker, type BreakerState } from './breaker.ts';

const OPEN_MS = 1_000;
const fail = () => Promise.reject(new TidegateError('UNAVAILABLE', 'down'));
const succeed = async () => 'well';

describe('a breaker', () => {
  let breaker: Breaker;
  let states: BreakerState[];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    states = [];
    breaker = createBreaker({
      name: 'counters',
      openMs: OPEN_MS,
      window: 10,
      minimumCalls: 4,
      onStateChange: (state) => states.push(state),
    });
  });
  afterEach(() => vi.useRealTimers());

  async function open(): Promise<void> {
    for (let i = 0; i < 4; i++) await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('open');
  }

  it('passes results and errors through while it is closed', async () => {
    expect(await breaker.run(succeed)).toBe('well');
    await expect(breaker.run(fail)).rejects.toThrow('down');
    expect(breaker.state).toBe('closed');
  });

  it('stays closed below its minimum of calls', async () => {
    for (let i = 0; i < 3; i++) await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('closed');
  });

  it('opens when more than the failure share of the calls failed, not before', async () => {
    for (let i = 0; i < 5; i++) await breaker.run(succeed);
    for (let i = 0; i < 5; i++) await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('closed');
    await breaker.run(fail).catch(() => {});
    expect(breaker.state).toBe('open');
  });

  it('answers UNAVAILABLE without a call while it is open', async () => {
    await open();
    const run = vi.fn<typeof succeed>(succeed);
    await expect(breaker.run(run)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: { retryAfterMs: OPEN_MS },
    });
    expect(run).not.toHaveBeenCalled();
  });

  it('stays open until the next call, then closes after one success', async () => {
    await open();
    vi.advanceTimersByTime(OPEN_MS * 10);
    expect(breaker.state).toBe('open');
    expect(await breaker.run(succeed)).toBe('well');
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('opens again when the trial fails', async () => {
    await open();
    vi.advanceTimersByTime(OPEN_MS);
    await expect(breaker.run(fail)).rejects.toThrow('down');
    expect(breaker.state).toBe('open');
    vi.advanceTimersByTime(OPEN_MS - 1);
    await expect(breaker.run(succeed)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('lets one trial through and rejects other calls during it', async () => {
    await open();
    vi.advanceTimersByTime(OPEN_MS);
    const trial = deferred<string>();
    const first = breaker.run(() => trial.promise);
    await expect(breaker.run(succeed)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    trial.resolve('back');
    expect(await first).toBe('back');
    expect(await breaker.run(succeed)).toBe('well');
  });

  it('is not closed by a trial that was cancelled', async () => {
    await open();
    vi.advanceTimersByTime(OPEN_MS);
    const cancelled = () => Promise.reject(new DOMException('gone', 'AbortError'));
    await expect(breaker.run(cancelled)).rejects.toThrow('gone');
    expect(breaker.state).toBe('open');
  });

  it('does not count errors that the caller caused', async () => {
    const notFound = () => Promise.reject(new TidegateError('NOT_FOUND', 'no such thing'));
    for (let i = 0; i < 20; i++) await breaker.run(notFound).catch(() => {});
    expect(breaker.state).toBe('closed');
  });
});
