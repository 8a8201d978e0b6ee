import { expect, it } from 'vitest';
import { reconnectAfter } from './close-code.ts';

/** Follows the table of close codes of the protocol. */
it.each([
  [4400, 'never'],
  [4401, 'with-new-token'],
  [4403, 'never'],
  [4406, 'never'],
  [4408, 'after-backoff'],
  [4409, 'never'],
  [4413, 'never'],
  [1009, 'never'],
  [4429, 'after-rate-limit'],
  [4500, 'never'],
  [4503, 'after-backoff'],
  [4504, 'after-backoff'],
  [4508, 'after-backoff'],
  [4509, 'after-backoff'],
  // Codes outside the table: the ranges decide.
  [4442, 'never'],
  [4599, 'after-backoff'],
  [1000, 'after-backoff'],
  [1006, 'after-backoff'],
  [undefined, 'after-backoff'],
])('after close code %s it reconnects: %s', (closeCode, expected) => {
  expect(reconnectAfter(closeCode)).toBe(expected);
});
