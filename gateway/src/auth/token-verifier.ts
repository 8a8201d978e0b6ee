import { anonymous, type Viewer } from '@tidegate/bff';
import { tokenId, tokenSubject } from './access-revoked.ts';
import { TidegateError } from '@tidegate/core';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';

/** What tokens must say about who made them and for whom. */
const ISSUER = 'tidegate';
const AUDIENCE = 'tidegate';

/** A viewer with what else its token says: what a revocation names. */
export interface VerifiedViewer extends Viewer {
  /** The token's `jti`; absent when it has none, or none that could be named by a revocation. */
  readonly tokenId?: string;
  /** When the token was issued, milliseconds since the epoch, by the second. */
  readonly issuedAtMs?: number;
}

/**
 * The longest that a token is taken after it was issued, whatever it says itself: what a revocation has to outlast.
 * Default 30 days.
 */
export const MAX_TOKEN_AGE_MS = 30 * 24 * 60 * 60 * 1000;

export type TokenKeys = { readonly secret: string } | { readonly jwksUrl: string };

export type TokenVerifierOptions = TokenKeys & {
  /** Roles that a token's `role` claim may name. */
  readonly roles: readonly string[];
  /** Maximum age of a token in milliseconds. Default 30 days. */
  readonly maxTokenAgeMs?: number;
};

export interface TokenVerifier {
  /**
   * Reads an `Authorization` value. No value: an anonymous viewer.
   *
   * @throws TidegateError UNAUTHENTICATED for anything but a valid token, TOKEN_EXPIRED for one that was.
   */
  verify(authorization: string | null | undefined): Promise<VerifiedViewer>;
}

/** Verifies JWTs (RFC 7519) signed with a shared secret (HS256), or by a provider whose keys a JWKS URL serves. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { roles, maxTokenAgeMs = MAX_TOKEN_AGE_MS } = options;
  const verifyJwt = createJwtVerification(options, maxTokenAgeMs);
  return {
    verify: async (authorization) => {
      if (authorization == null || authorization === '') return anonymous;
      const match = /^Bearer ([A-Za-z0-9_.-]+)$/i.exec(authorization.trim());
      if (!match) throw new TidegateError('UNAUTHENTICATED', 'Authorization has to be "Bearer" and a token.');
      try {
        return viewerOf(await verifyJwt(match[1]!), roles, maxTokenAgeMs);
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
  const claims = { issuer: ISSUER, audience: AUDIENCE, maxTokenAge: Math.floor(maxTokenAgeMs / 1000) };
  if ('secret' in options) {
    const key = new TextEncoder().encode(options.secret);
    return async (token) => (await jwtVerify(token, key, { ...claims, algorithms: ['HS256'] })).payload;
  }
  const keys = createRemoteJWKSet(new URL(options.jwksUrl));
  const algorithms = ['RS256', 'ES256', 'EdDSA'];
  return async (token) => (await jwtVerify(token, keys, { ...claims, algorithms })).payload;
}

function viewerOf(payload: JWTPayload, roles: readonly string[], maxTokenAgeMs: number): VerifiedViewer {
  const role = payload['role'];
  if (typeof role !== 'string' || !roles.includes(role))
    throw new TidegateError('UNAUTHENTICATED', 'The token names no role that is known here.');
  const subject = tokenSubject.safeParse(payload.sub);
  if (!subject.success) throw new TidegateError('UNAUTHENTICATED', 'The token names no subject.');
  const jti = tokenId.safeParse(payload.jti);
  // That it is there was checked with its age.
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
