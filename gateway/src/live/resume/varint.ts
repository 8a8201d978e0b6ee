import { TidegateError } from '@tidegate/core';

/** What the largest takes. */
export const MAX_VARINT_BYTES = 8;

/** Unsigned LEB128 up to 2^53 - 1: small numbers take one byte. Returns where the next byte goes. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let [at, rest] = [offset, value];
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

/** Reads at `at.offset` and moves it on. @throws TidegateError CURSOR_INVALID when the bytes end early. */
export function readVarint(bytes: Uint8Array, at: { offset: number }): number {
  let value = 0;
  for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
    const byte = bytes[at.offset++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
  throw new TidegateError('CURSOR_INVALID', 'This is not a cursor that was issued here.');
}
