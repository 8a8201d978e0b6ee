import { TidegateError } from '@tidegate/core';

/** Rejects with UNAVAILABLE when the promise has not settled in time; what it does later is ignored. */
export async function withDeadline<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TidegateError('UNAVAILABLE', `Kafka: no answer to ${what} within ${timeoutMs} ms.`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
