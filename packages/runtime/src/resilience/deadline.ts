import { TidegateError } from '@tidegate/core';

/**
 * Runs `run` with a deadline of `ms` milliseconds. The signal that `run` gets aborts at the deadline, or when the
 * caller's `signal` aborts; `run` should pass it on, so that abandoned work ends. The promise settles at that moment even
 * when `run` ignores its signal. The timer and the listener are removed.
 *
 * @throws TidegateError DEADLINE_EXCEEDED with `details.deadlineMs` at the deadline.
 * @throws the reason of `signal` when it aborts, or the error of `run`.
 *
 * @example
 * const response = await withDeadline(2_000, undefined, (signal) => fetch('http://127.0.0.1:4001/', { signal }));
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
    // Rejects before it aborts: the error of the deadline takes precedence over the error of the aborted work.
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
