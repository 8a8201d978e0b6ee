import { expect, it } from 'vitest';
import { comeBack } from './close-code.ts';

/** The table of close codes of the protocol. */
it.each([
  [4400, 'never'],
  [4401, 'with-new-token'],
  [4403, 'never'],
  [4406, 'never'],
  [4408, 'soon'],
  [4409, 'never'],
  [4413, 'never'],
  [1009, 'never'],
  [4429, 'after-a-while'],
  [4500, 'never'],
  [4503, 'soon'],
  [4504, 'soon'],
  [4508, 'soon'],
  [4509, 'soon'],
  // Not in the table: the ranges decide.
  [4442, 'never'],
  [4599, 'soon'],
  [1000, 'soon'],
  [1006, 'soon'],
  [undefined, 'soon'],
])('close code %s: come back %s', (closeCode, answer) => {
  expect(comeBack(closeCode)).toBe(answer);
});
