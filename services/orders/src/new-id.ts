import { randomBytes } from 'node:crypto';

/**
 * A unique id that sorts by its time of birth: 9 digits of milliseconds and 14 random digits, base 36
 * (72 random bits; the times last until the year 5188).
 */
export function newId(nowMs: number = Date.now()): string {
  const random = randomBytes(9).readBigUInt64BE(0) ^ (BigInt(randomBytes(1)[0]!) << 64n);
  return nowMs.toString(36).padStart(9, '0') + random.toString(36).padStart(14, '0');
}
