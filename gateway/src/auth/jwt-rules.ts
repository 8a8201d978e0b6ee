import { z } from 'zod';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The rules for a JWT (RFC 7519) that the gateway accepts. */
export const jwtRules = {
  /** `iss` must be this. */
  issuer: 'tidegate',
  /** `aud` must be this. */
  audience: 'tidegate',
  /** `alg` by the kind of key: a shared secret, or the public keys that a JWKS URL serves. */
  algorithms: { secret: ['HS256'], jwksUrl: ['RS256', 'ES256', 'EdDSA'] },
  /** Claim that names one of the roles that the gateway was created with. */
  roleClaim: 'role',
  /**
   * Maximum time since `iat` in milliseconds, whatever `exp` says. `iat` is required. A revocation has to last as long.
   */
  maxTokenAgeMs: 30 * DAY_MS,
  /** Maximum size as JSON of all further claims that are read from one token. Every live connection keeps its own. */
  maxClaimsBytes: 4 * 1024,
};

/** `sub`, the viewer's id. Required. */
export const tokenSubject = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a subject');

/** `jti` (RFC 7519, 4.1.7), by which one token can be revoked. Ignored when it has another form. */
export const tokenId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'a token id of 1 to 128 printable characters');
