import { anonymous, type Viewer, type ViewerRole } from '@tidegate/bff';
import { TidegateError } from '@tidegate/errors';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';

/** What tokens must say about who made them and for whom. */
const ISSUER = 'tidegate';
const AUDIENCE = 'tidegate';
const ROLES: readonly ViewerRole[] = ['customer', 'operator', 'partner'];

export interface TokenVerifier {
  /**
   * Reads an `Authorization` value. No value: an anonymous viewer.
   *
   * @throws TidegateError UNAUTHENTICATED for anything but a valid token, TOKEN_EXPIRED for one that was.
   */
  verify(authorization: string | null | undefined): Promise<Viewer>;
}

/** Verifies JWTs (RFC 7519) signed with a shared secret (HS256), or by a provider whose keys a JWKS URL serves. */
export function createTokenVerifier(options: { secret: string } | { jwksUrl: string }): TokenVerifier {
  const verifyJwt = createJwtVerification(options);
  return {
    verify: async (authorization) => {
      if (authorization == null || authorization === '') return anonymous;
      const match = /^Bearer ([A-Za-z0-9_.-]+)$/i.exec(authorization.trim());
      if (!match) throw new TidegateError('UNAUTHENTICATED', 'Authorization has to be "Bearer" and a token.');
      try {
        return viewerOf(await verifyJwt(match[1]!));
      } catch (error) {
        throw translate(error);
      }
    },
  };
}

function createJwtVerification(
  options: { secret: string } | { jwksUrl: string },
): (token: string) => Promise<JWTPayload> {
  const claims = { issuer: ISSUER, audience: AUDIENCE };
  if ('secret' in options) {
    const key = new TextEncoder().encode(options.secret);
    return async (token) => (await jwtVerify(token, key, { ...claims, algorithms: ['HS256'] })).payload;
  }
  const keys = createRemoteJWKSet(new URL(options.jwksUrl));
  const algorithms = ['RS256', 'ES256', 'EdDSA'];
  return async (token) => (await jwtVerify(token, keys, { ...claims, algorithms })).payload;
}

function viewerOf(payload: JWTPayload): Viewer {
  const role = payload['role'] as ViewerRole;
  if (!ROLES.includes(role))
    throw new TidegateError('UNAUTHENTICATED', 'The token names no role that is known here.');
  if (typeof payload.sub !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(payload.sub)) {
    throw new TidegateError('UNAUTHENTICATED', 'The token names no subject.');
  }
  return { role, id: payload.sub, ...(payload.exp !== undefined && { expiresAtMs: payload.exp * 1000 }) };
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
