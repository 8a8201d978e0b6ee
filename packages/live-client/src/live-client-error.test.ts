import { errorCodes } from '@tidegate/core';
import { expect, it } from 'vitest';
import { fromGraphQLErrors } from './live-client-error.ts';

it.each(Object.entries(errorCodes))('%s is retryable here as it is in the table of errors', (code, entry) => {
  expect(fromGraphQLErrors([{ message: 'x', extensions: { code } }]).retryable).toBe(entry.retryable);
});

it('reads how long the server asks to wait', () => {
  const extensions = { code: 'RATE_LIMITED', retryAfterMs: 1_500 };
  expect(fromGraphQLErrors([{ message: 'x', extensions }]).retryAfterMs).toBe(1_500);
});
