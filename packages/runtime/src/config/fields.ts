import { isIP } from 'node:net';
import { z } from 'zod';

/** Parses a whole number within bounds, such as `integer(1, 65535, 'a TCP port')`. */
export function integer(min: number, max: number, meaning: string): z.ZodCoercedNumber {
  return z.coerce
    .number()
    .int()
    .min(min)
    .max(max)
    .describe(`${meaning}: a whole number from ${min} to ${max}`);
}

/** Parses a TCP port. */
export const port = (): z.ZodCoercedNumber => integer(0, 65535, 'a TCP port (0 picks a free one)');

/** Parses `1`, `true`, `yes`, `on` as true and `0`, `false`, `no`, `off` as false. */
export function flag(meaning: string): z.ZodType<boolean, string> {
  return z
    .string()
    .regex(/^(1|true|yes|on|0|false|no|off)$/i)
    .transform((value) => /^(1|true|yes|on)$/i.test(value))
    .describe(`${meaning}: 1 or 0`);
}

/** Accepts an absolute URL with one of the schemes, such as `url(['http', 'https'], 'the address of the service')`. */
export function url(schemes: readonly string[], meaning: string): z.ZodType<string, string> {
  return z
    .string()
    .refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1)))
    .describe(`${meaning}: a URL such as ${schemes[0]}://127.0.0.1:1234`);
}

/** Parses a comma-separated list of `host:port`. */
export function hostPorts(meaning: string): z.ZodType<string[], string> {
  return z
    .string()
    .regex(/^[^,:\s]+:\d+(,[^,:\s]+:\d+)*$/)
    .transform((value) => value.split(','))
    .describe(`${meaning}: host:port, several separated by commas`);
}

/** Parses a comma-separated list of allowed values. */
export function listOf<T extends string>(allowed: readonly T[], meaning: string): z.ZodType<T[], string> {
  return z
    .string()
    .transform((value) => value.split(',').map((item) => item.trim()))
    .refine(
      (items) => items.length > 0 && items.every((item) => (allowed as readonly string[]).includes(item)),
    )
    .describe(
      `${meaning}: one or more of ${allowed.join(', ')}, separated by commas`,
    ) as unknown as z.ZodType<T[], string>;
}

/** Accepts one of these words. */
export function oneOf<const T extends string>(allowed: readonly [T, ...T[]], meaning: string) {
  return z.enum(allowed).describe(`${meaning}: one of ${allowed.join(', ')}`);
}

/** Accepts a secret of at least 32 characters. */
export function secret(meaning: string): z.ZodString {
  return z.string().min(32).describe(`${meaning}: a secret of at least 32 characters`);
}

/** Accepts any text that is not empty. */
export function text(meaning: string): z.ZodString {
  return z.string().min(1).describe(meaning);
}

/** Parses a comma-separated list of texts, at least one. */
export function texts(meaning: string): z.ZodType<string[], string> {
  return z
    .string()
    .transform(splitList)
    .refine((items) => items.length > 0)
    .describe(`${meaning}: one or more, separated by commas`);
}

/** Parses a comma-separated list of `name=value`, in its order. The last `=` separates: a name may have some. */
export function pairs(meaning: string): z.ZodType<(readonly [name: string, value: string])[], string> {
  return z
    .string()
    .transform((list) => splitList(list).map(splitPair))
    .refine((items) => items.length > 0 && items.every(([name, value]) => name !== '' && value !== ''))
    .describe(`${meaning}: name=value, several separated by commas`);
}

/** Parses a comma-separated list of addresses and CIDR ranges, IPv4 or IPv6. */
export function addressRanges(meaning: string): z.ZodType<string[], string> {
  return z
    .string()
    .transform(splitList)
    .refine((ranges) => ranges.every(isAddressRange))
    .describe(`${meaning}: addresses or ranges such as 10.0.0.0/8, separated by commas`);
}

/**
 * Parses a comma-separated list of origins as clients send them: scheme, host and port, without a path. The scheme may be
 * that of an app, such as `capacitor://localhost`.
 */
export function origins(meaning: string): z.ZodType<string[], string> {
  return z
    .string()
    .transform(splitList)
    .refine((items) => items.every(isOrigin))
    .describe(`${meaning}: origins such as https://shop.example, separated by commas`);
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function splitPair(pair: string): readonly [name: string, value: string] {
  const at = pair.lastIndexOf('=');
  return [pair.slice(0, Math.max(at, 0)).trim(), pair.slice(at + 1).trim()];
}

function isAddressRange(range: string): boolean {
  const [address = '', prefix, ...more] = range.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+$/.test(text) || !URL.canParse(text)) return false;
  const { origin } = new URL(text);
  // The URL standard gives apps' schemes no origin; for those that have one it is the only spelling.
  return origin === 'null' ? !text.startsWith('file:') : origin === text;
}
