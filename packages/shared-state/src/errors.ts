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

/** @throws TidegateError BAD_REQUEST unless `cost` is a finite number of at least 0. */
export function requireCost(cost: number): void {
  if (Number.isFinite(cost) && cost >= 0) return;
  throw new TidegateError('BAD_REQUEST', `A cost is a number of at least 0, not ${cost}.`);
}
