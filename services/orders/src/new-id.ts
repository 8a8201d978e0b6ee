import { randomBytes } from 'node:crypto';

/**
 * Returns a unique id that sorts by creation time: 9 base-36 digits of epoch milliseconds (enough until the year
 * 5188), then 14 random ones (72 bits).
 */
export function newId(nowMs: number = Date.now()): string {
  const random = randomBytes(9).readBigUInt64BE(0) ^ (BigInt(randomBytes(1)[0]!) << 64n);
  return nowMs.toString(36).padStart(9, '0') + random.toString(36).padStart(14, '0');
}
