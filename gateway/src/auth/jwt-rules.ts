import { z } from 'zod';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The default rules for a JWT (RFC 7519) that the gateway accepts. `JwtOptions` replaces them one by one. */
export const jwtRules = {
  /** `iss` must be this. */
  issuer: 'tidegate',
  /** `aud` must be this. */
  audience: 'tidegate',
  /** `alg` by the kind of key: a shared secret, or the public keys of an identity provider. */
  algorithms: { secret: ['HS256'], publicKeys: ['RS256', 'ES256', 'EdDSA'] },
  /** Claim that is the viewer's id. */
  subjectClaim: 'sub',
  /** Claim that names one of the roles that the gateway was created with. */
  roleClaim: 'role',
  /**
   * Maximum time since `iat` in milliseconds, whatever `exp` says. `iat` is required. A revocation has to last as long.
   */
  maxTokenAgeMs: 30 * DAY_MS,
  /** Maximum size as JSON of all further claims that are read from one token. Every live connection keeps its own. */
  maxClaimsBytes: 4 * 1024,
  /** Tolerated difference between the issuer's clock and this one, in milliseconds, for `iat`, `nbf` and `exp`. */
  clockToleranceMs: 30_000,
};

/** Values of `alg` that may be allowed, by the kind of key. One that fits both kinds would let a public key sign. */
export const knownAlgorithms = {
  secret: ['HS256', 'HS384', 'HS512'],
  publicKeys: [
    ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ],
} as const;

/**
 * The viewer's id: at most 255 printable ASCII characters (OpenID Connect Core, 2), without a space at either end.
 * `auth0|507f1f77`, `google-oauth2|1133`, e-mail addresses and UUIDs have this form.
 */
export const tokenSubject = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, 'a subject of 1 to 255 printable characters')
  .refine((subject) => subject !== '__proto__', 'a subject');

/** `jti` (RFC 7519, 4.1.7), by which one token can be revoked. Ignored when it has another form. */
export const tokenId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'a token id of 1 to 128 printable characters');
