/** Reads fields of a `next` message from its bytes: parsing the JSON would cost more than the server's work. */

const AT = Buffer.from('"at":');
const ASKED = Buffer.from('"asked":');
const KEY = Buffer.from('"key":"k');
const VERSION = Buffer.from('","version":');
const CURSOR = Buffer.from('"cursor":"');
const QUOTE = 0x22;

/** Returns the times of the append and of the request, from `nowUs()`; undefined when the message has none. */
export function readTimes(
  bytes: Buffer,
  start: number,
  end: number,
): { at: number; asked: number } | undefined {
  const at = numberAfter(bytes, AT, start, end);
  const asked = numberAfter(bytes, ASKED, start, end);
  return at === undefined || asked === undefined ? undefined : { at, asked };
}

/** Returns the number of the key `k<number>` and the version. */
export function readChange(
  bytes: Buffer,
  start: number,
  end: number,
): { key: number; version: number } | undefined {
  const key = numberAfter(bytes, KEY, start, end);
  const version = numberAfter(bytes, VERSION, start, end);
  return key === undefined || version === undefined ? undefined : { key, version };
}

export function readCursor(bytes: Buffer, start: number, end: number): string | undefined {
  const found = bytes.indexOf(CURSOR, start);
  if (found < 0 || found >= end) return undefined;
  const from = found + CURSOR.length;
  return bytes.toString('latin1', from, bytes.indexOf(QUOTE, from));
}

function numberAfter(bytes: Buffer, name: Buffer, start: number, end: number): number | undefined {
  const found = bytes.indexOf(name, start);
  if (found < 0 || found >= end) return undefined;
  let value = 0;
  for (let at = found + name.length; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}
