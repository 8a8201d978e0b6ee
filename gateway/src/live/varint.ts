import { TidegateError } from '@tidegate/errors';

/** Unsigned LEB128 up to 2^53 - 1: small numbers take one byte. */
export function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
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
