import { TidegateError } from '@tidegate/core';

/** @throws TidegateError BAD_REQUEST unless `ttlMs` is a positive integer: every value has to expire. */
export function requireTtl(ttlMs: number): void {
  if (Number.isSafeInteger(ttlMs) && ttlMs >= 1) return;
  throw new TidegateError('BAD_REQUEST', `A lifetime is a whole number of milliseconds, not ${ttlMs}.`);
}

/** Creates the CONFLICT of incrementing a key whose value is not an integer. */
export function notANumber(cause?: unknown): TidegateError {
  return new TidegateError('CONFLICT', 'The key holds something other than a whole number.', { cause });
}
