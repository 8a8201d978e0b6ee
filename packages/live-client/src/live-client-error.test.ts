import { errorCodes } from '@tidegate/core';
import { expect, it } from 'vitest';
import { fromGraphQLErrors } from './live-client-error.ts';

it.each(Object.entries(errorCodes))(
  'agrees with the table of errors on whether %s is retryable',
  (code, entry) => {
    expect(fromGraphQLErrors([{ message: 'x', extensions: { code } }]).retryable).toBe(entry.retryable);
  },
);

it('reads retryAfterMs from the first error', () => {
  const extensions = { code: 'RATE_LIMITED', retryAfterMs: 1_500 };
  expect(fromGraphQLErrors([{ message: 'x', extensions }]).retryAfterMs).toBe(1_500);
});
