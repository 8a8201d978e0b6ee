import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

export const roles = ['customer', 'operator', 'partner'] as const;
export type Role = (typeof roles)[number];

export interface TokenClaims {
  readonly sub: string;
  readonly role: Role;
  readonly ttlMs: number;
  readonly secret: string;
  /** The `jti`, by which this one token can be revoked. Default: a new one. */
  readonly tokenId?: string;
}

/** A JWT as the gateway expects it; `ttlMs` counts from now. */
export function signToken({
  sub,
  role,
  ttlMs,
  secret,
  tokenId = randomUUID(),
}: TokenClaims): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ role })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(sub)
    .setJti(tokenId)
    .setIssuer('tidegate')
    .setAudience('tidegate')
    .setIssuedAt(now)
    .setExpirationTime(now + Math.floor(ttlMs / 1000))
    .sign(Buffer.from(secret));
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `1h`, `7d` in milliseconds. */
export function parseTtl(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ttlMs = Number(count) * (unitsMs[unit ?? ''] ?? Number.NaN);
  if (!(ttlMs > 0)) throw new Error(`--ttl is a number with s, m, h or d, such as 1h, not ${text}`);
  return ttlMs;
}
