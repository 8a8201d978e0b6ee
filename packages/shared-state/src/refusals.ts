import { TidegateError } from '@tidegate/core';

/** @throws TidegateError BAD_REQUEST: a value without an end would stay for ever. */
export function requireTtl(ttlMs: number): void {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 1) return;
  throw new TidegateError('BAD_REQUEST', `A lifetime is a whole number of milliseconds, not ${ttlMs}.`);
}

export function notANumber(cause?: unknown): TidegateError {
  return new TidegateError('CONFLICT', 'The key holds something other than a whole number.', { cause });
}
