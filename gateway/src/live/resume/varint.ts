import { TidegateError } from '@tidegate/core';

/** Maximum size of an encoded varint in bytes. */
export const MAX_VARINT_BYTES = 8;

/** Writes unsigned LEB128 for values up to 2^53 - 1; small numbers take one byte. Returns the next offset. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let [at, rest] = [offset, value];
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  return at;
}

/** Reads a varint at `at.offset` and advances it. @throws TidegateError CURSOR_INVALID when the bytes end early. */
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
