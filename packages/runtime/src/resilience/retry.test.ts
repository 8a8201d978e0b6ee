import { describe, expect, it, vi } from 'vitest';
import { retry } from './retry.ts';

const fast = { firstMs: 1, maxMs: 2 };

function failing(times: number) {
  return vi.fn<(attempt: number) => Promise<number>>(async (attempt) => {
    if (attempt <= times) throw new Error(`failure ${attempt}`);
    return attempt;
  });
}

describe('retry', () => {
  it('resolves with the first success and passes each attempt its number', async () => {
    const operation = failing(2);
    expect(await retry(operation, { ...fast, attempts: 5 })).toBe(3);
    expect(operation.mock.calls).toEqual([[1], [2], [3]]);
  });

  it('rejects with the last error when the attempts are used up', async () => {
    const operation = failing(9);
    await expect(retry(operation, { ...fast, attempts: 3 })).rejects.toThrow('failure 3');
    expect(operation).toHaveBeenCalledTimes(3);
  });

  it('does not retry a final error', async () => {
    const operation = failing(9);
    await expect(retry(operation, { ...fast, attempts: 3, retryable: () => false })).rejects.toThrow(
      'failure 1',
    );
    expect(operation).toHaveBeenCalledTimes(1);
  });

  it('calls onRetry before each delay', async () => {
    const onRetry = vi.fn<(error: unknown, attempt: number, delayMs: number) => void>();
    await retry(failing(2), { ...fast, attempts: 3, onRetry });
    expect(onRetry.mock.calls.map(([error, attempt]) => [(error as Error).message, attempt])).toEqual([
      ['failure 1', 1],
      ['failure 2', 2],
    ]);
  });

  it('rejects when its signal aborts during a delay', async () => {
    const controller = new AbortController();
    const retrying = retry(failing(Number.POSITIVE_INFINITY), {
      firstMs: 60_000,
      maxMs: 60_000,
      attempts: Number.POSITIVE_INFINITY,
      signal: controller.signal,
      onRetry: () => controller.abort(new Error('stop')),
    });
    await expect(retrying).rejects.toThrow('stop');
  });

  it('does not call the operation when its signal has already aborted', async () => {
    const operation = failing(0);
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(retry(operation, { ...fast, attempts: 3, signal })).rejects.toThrow('stop');
    expect(operation).not.toHaveBeenCalled();
  });
});
