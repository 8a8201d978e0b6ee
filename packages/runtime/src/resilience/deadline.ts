import { TidegateError } from '@tidegate/core';

/**
 * Runs `run` for at most `ms`. The signal given to it aborts when the time is up or the caller's `signal` aborts:
 * pass it on, so that work nobody waits for any more ends. The promise settles at that moment even when `run` ignores
 * its signal. Leaves no timer and no listener behind.
 *
 * @throws TidegateError DEADLINE_EXCEEDED with `details.deadlineMs`; the caller's own reason when `signal` aborts;
 *   whatever `run` rejects with.
 */
export async function withDeadline<T>(
  ms: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const { promise: cut, reject } = Promise.withResolvers<never>();
  const end = (reason: Error): void => {
    // Rejects before the abort is seen by `run`: the deadline is the answer, not what `run` makes of its signal.
    reject(reason);
    controller.abort(reason);
  };
  const timer = setTimeout(() => end(deadlineExceeded(ms)), ms);
  const onAbort = (): void => end(signal?.reason as Error);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([cut, run(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function deadlineExceeded(ms: number): TidegateError {
  return new TidegateError('DEADLINE_EXCEEDED', `There was no answer within ${ms} ms.`, {
    details: { deadlineMs: ms },
  });
}
