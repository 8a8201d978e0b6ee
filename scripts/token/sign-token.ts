import { randomUUID } from 'node:crypto';
import { jwtRules } from '@tidegate/gateway/jwt-rules';
import { SignJWT } from 'jose';

export const roles = ['customer', 'operator', 'partner'] as const;
export type Role = (typeof roles)[number];

export interface TokenClaims {
  readonly sub: string;
  readonly role: Role;
  /** Lifetime in milliseconds. */
  readonly ttlMs: number;
  readonly secret: string;
  /** The `jti`, which identifies this token for revocation. Default: a random one. */
  readonly tokenId?: string;
  /** Claim `customers`: ids of the customers granted to a partner. Default: no claim, which grants none. */
  readonly customers?: readonly string[] | undefined;
}

/** Signs a JWT that follows the gateway's rules. */
export function signToken({
  sub,
  role,
  ttlMs,
  secret,
  tokenId = randomUUID(),
  customers,
}: TokenClaims): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ [jwtRules.roleClaim]: role, ...(customers && { customers }) })
    .setProtectedHeader({ alg: jwtRules.algorithms.secret[0]! })
    .setSubject(sub)
    .setJti(tokenId)
    .setIssuer(jwtRules.issuer)
    .setAudience(jwtRules.audience)
    .setIssuedAt(now)
    .setExpirationTime(now + Math.floor(ttlMs / 1000))
    .sign(Buffer.from(secret));
}

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a duration such as `90s`, `15m`, `1h` or `7d` to milliseconds. @throws Error for any other text. */
export function parseTtl(text: string): number {
  const [, count, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ttlMs = Number(count) * (unitsMs[unit ?? ''] ?? Number.NaN);
  if (!(ttlMs > 0)) throw new Error(`--ttl is a number with s, m, h or d, such as 1h, not ${text}`);
  return ttlMs;
}
