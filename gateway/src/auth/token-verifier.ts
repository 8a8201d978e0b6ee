import { anonymous, type Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { jwtRules, tokenId, tokenSubject } from './jwt-rules.ts';
import { readClaims } from './viewer-claims.ts';

/** A viewer and the claims of its token that a revocation can name. */
export interface VerifiedViewer extends Viewer {
  /** The token's `jti`; absent when it has none, or none that a revocation could name. */
  readonly tokenId?: string;
  /** Time of issue in milliseconds since the epoch, to the second. */
  readonly issuedAtMs?: number;
}

export type TokenKeys = { readonly secret: string } | { readonly jwksUrl: string };

export type JwtOptions = TokenKeys & {
  /** Roles that a token's `role` claim may name. */
  readonly roles: readonly string[];
  /** Names of further claims to read into `viewer.claims`, such as grants. Default: none. */
  readonly claims?: readonly string[];
};

export interface TokenVerifier {
  /**
   * Returns the viewer of an `Authorization` value; without a value, an anonymous one.
   *
   * @throws TidegateError TOKEN_EXPIRED for a token that was valid, UNAVAILABLE when its keys cannot be fetched,
   *   UNAUTHENTICATED for any other value.
   */
  verify(authorization: string | null | undefined): Promise<VerifiedViewer>;
}

/**
 * Verifies JWTs by the rules of `jwt-rules.ts`, signed with a shared secret or by an identity provider whose keys a
 * JWKS URL serves.
 *
 * @param maxTokenAgeMs maximum age of a token in milliseconds.
 */
export function createTokenVerifier(options: JwtOptions, maxTokenAgeMs: number): TokenVerifier {
  const verifyJwt = createJwtVerification(options, maxTokenAgeMs);
  return {
    verify: async (authorization) => {
      if (authorization == null || authorization === '') return anonymous;
      const match = /^Bearer ([A-Za-z0-9_.-]+)$/i.exec(authorization.trim());
      if (!match) throw new TidegateError('UNAUTHENTICATED', 'Authorization has to be "Bearer" and a token.');
      try {
        const payload = await verifyJwt(match[1]!);
        return { ...viewerOf(payload, options.roles, maxTokenAgeMs), ...readClaims(payload, options.claims) };
      } catch (error) {
        throw translate(error);
      }
    },
  };
}

function createJwtVerification(
  options: TokenKeys,
  maxTokenAgeMs: number,
): (token: string) => Promise<JWTPayload> {
  const { issuer, audience } = jwtRules;
  const rules = { issuer, audience, maxTokenAge: Math.floor(maxTokenAgeMs / 1000) };
  if ('secret' in options) {
    const key = new TextEncoder().encode(options.secret);
    const algorithms = jwtRules.algorithms.secret;
    return async (token) => (await jwtVerify(token, key, { ...rules, algorithms })).payload;
  }
  const keys = createRemoteJWKSet(new URL(options.jwksUrl));
  const algorithms = jwtRules.algorithms.jwksUrl;
  return async (token) => (await jwtVerify(token, keys, { ...rules, algorithms })).payload;
}

function viewerOf(payload: JWTPayload, roles: readonly string[], maxTokenAgeMs: number): VerifiedViewer {
  const role = payload[jwtRules.roleClaim];
  if (typeof role !== 'string' || !roles.includes(role))
    throw new TidegateError('UNAUTHENTICATED', 'The token names no role that is known here.');
  const subject = tokenSubject.safeParse(payload.sub);
  if (!subject.success) throw new TidegateError('UNAUTHENTICATED', 'The token names no subject.');
  const jti = tokenId.safeParse(payload.jti);
  // `maxTokenAge` has made jose require `iat`.
  const issuedAtMs = payload.iat! * 1000;
  const expiresAtMs = Math.min((payload.exp ?? Infinity) * 1000, issuedAtMs + maxTokenAgeMs);
  return { role, id: subject.data, issuedAtMs, expiresAtMs, ...(jti.success && { tokenId: jti.data }) };
}

function translate(error: unknown): TidegateError {
  if (error instanceof TidegateError) return error;
  if (error instanceof errors.JWTExpired) return new TidegateError('TOKEN_EXPIRED', 'The token has expired.');
  if (error instanceof errors.JWKSTimeout) {
    return new TidegateError('UNAVAILABLE', 'The keys to verify tokens with cannot be reached.', {
      cause: error,
    });
  }
  return new TidegateError('UNAUTHENTICATED', 'The token is not valid here.', { cause: error });
}
