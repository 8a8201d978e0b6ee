import { getEventListeners } from 'node:events';
import { deferred } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { withDeadline } from './deadline.ts';

describe('withDeadline', () => {
  it('resolves with the result of the work', async () => {
    expect(await withDeadline(1_000, undefined, async () => 'done')).toBe('done');
  });

  it('rejects with the error of the work', async () => {
    await expect(withDeadline(1_000, undefined, () => Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
  });

  it('rejects with DEADLINE_EXCEEDED at the deadline, even when the work ignores its signal', async () => {
    await expect(withDeadline(20, undefined, () => new Promise(() => {}))).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      details: { deadlineMs: 20 },
    });
  });

  it('rejects with DEADLINE_EXCEEDED also when the work fails because of its signal', async () => {
    const work = (signal: AbortSignal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('socket closed'))));
    await expect(withDeadline(20, undefined, work)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it('aborts the signal of the work', async () => {
    const aborted = deferred<unknown>();
    const work = (signal: AbortSignal) =>
      new Promise(() => signal.addEventListener('abort', () => aborted.resolve(signal.reason)));
    await expect(withDeadline(20, undefined, work)).rejects.toThrow('within 20 ms');
    expect(await aborted.promise).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });

  it("rejects with the caller's reason as soon as the caller aborts", async () => {
    const controller = new AbortController();
    const waiting = withDeadline(60_000, controller.signal, () => new Promise(() => {}));
    controller.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
  });

  it('does not start the work when the caller has already aborted', async () => {
    let begun = false;
    const work = async () => void (begun = true);
    await expect(withDeadline(1_000, AbortSignal.abort(new Error('gone')), work)).rejects.toThrow('gone');
    expect(begun).toBe(false);
  });

  it('removes its listener from the signal of the caller', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 20; i++) await withDeadline(1_000, signal, async () => i);
    await withDeadline(5, signal, () => new Promise(() => {})).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});
