import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WakeUp } from './wake-up.ts';

const FAR_MS = 60_000;

describe('a wake-up', () => {
  it('ends the wait in progress', async () => {
    const wakeUp = new WakeUp();
    const { signal } = new AbortController();
    const waiting = wakeUp.wait(FAR_MS, signal);
    wakeUp.wake();
    await waiting;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('that comes before the wait ends it at once, and only one wait', async () => {
    const wakeUp = new WakeUp();
    const { signal } = new AbortController();
    wakeUp.wake();
    wakeUp.wake();
    await wakeUp.wait(FAR_MS, signal);
    const second = wakeUp.wait(20, signal).then(() => 'timed out');
    await expect(Promise.race([second, Promise.resolve('ended at once')])).resolves.toBe('ended at once');
    expect(await second).toBe('timed out');
  });

  it('is not needed when the signal aborts', async () => {
    const controller = new AbortController();
    const waiting = new WakeUp().wait(FAR_MS, controller.signal);
    controller.abort();
    await waiting;
    await new WakeUp().wait(FAR_MS, controller.signal);
    expect(controller.signal.aborted).toBe(true);
  });
});
