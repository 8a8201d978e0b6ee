import { anonymous, type Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import { createMetrics, silentLogger, type Logger, type Metrics } from '@tidegate/runtime/telemetry';
import { errors, type JWTPayload } from 'jose';
import { ClaimMapping, type ClaimNames } from './claim-mapping.ts';
import { createJwtVerification, type JwtKeys } from './jwt-verification.ts';
import { jwtRules, tokenId } from './jwt-rules.ts';
import { createAuthMetrics } from './metrics.ts';
import { readClaims } from './viewer-claims.ts';

/** A viewer and the claims of its token that a revocation can name. */
export interface VerifiedViewer extends Viewer {
  /** The token's `jti`; absent when it has none, or none that a revocation could name. */
  readonly tokenId?: string;
  /** Time of issue in milliseconds since the epoch, to the second. */
  readonly issuedAtMs?: number;
}

export interface JwtOptions extends JwtKeys, ClaimNames {
  /** Roles that a viewer may have. */
  readonly roles: readonly string[];
  /** Names of further claims to read into `viewer.claims`, such as grants. Default: none. */
  readonly claims?: readonly string[];
}

export interface TokenVerifier {
  /**
   * Returns the viewer of an `Authorization` value; without a value, an anonymous one.
   *
   * @throws TidegateError TOKEN_EXPIRED for a token that was valid, UNAVAILABLE with `details.retryAfterMs` when its
   *   keys cannot be fetched, UNAUTHENTICATED for any other value.
   */
  verify(authorization: string | null | undefined): Promise<VerifiedViewer>;
}

/** Durations in milliseconds. The defaults are those of `gatewayLimits`. */
export interface TokenVerifierSettings {
  /** Maximum age of a token. Default 30 days. */
  readonly maxTokenAgeMs?: number;
  /** Tolerated difference between the issuer's clock and this one. Default 30 s. */
  readonly clockToleranceMs?: number;
  /** Age at which a provider's keys are fetched again. Default 10 minutes. */
  readonly keysMaxAgeMs?: number;
  /** Age until which a provider's keys are used while it is away. Default 24 hours. */
  readonly keysMaxStaleMs?: number;
  /** Minimum time between two fetches for unknown keys. Default 10 s. */
  readonly keysCooldownMs?: number;
  /** Deadline of a fetch of keys. Default 5 s. */
  readonly keysTimeoutMs?: number;
  /** Default: logs nothing. */
  readonly logger?: Logger;
  /** Default: a registry of its own. */
  readonly metrics?: Metrics;
  readonly clock?: () => number;
}

/** Longest token, in characters: as much as fits into the head of an HTTP request. */
const MAX_TOKEN_CHARACTERS = 16 * 1024;

/**
 * Verifies JWTs, signed with a shared secret or by an identity provider, by the rules of `jwt-rules.ts` and of the
 * options.
 *
 * @throws TidegateError CONFIG_INVALID when the options contradict each other.
 */
export function createTokenVerifier(
  options: JwtOptions,
  settings: TokenVerifierSettings = {},
): TokenVerifier {
  const { maxTokenAgeMs = jwtRules.maxTokenAgeMs, clockToleranceMs = jwtRules.clockToleranceMs } = settings;
  const {
    logger = silentLogger,
    metrics = createMetrics({ nodeMetrics: false }),
    clock = Date.now,
  } = settings;
  const mapping = new ClaimMapping(options, options.roles);
  const verifyJwt = createJwtVerification(options, {
    ...{ keysMaxAgeMs: 10 * 60_000, keysMaxStaleMs: 24 * 60 * 60_000, keysCooldownMs: 10_000 },
    ...{ keysTimeoutMs: 5_000, ...settings, maxTokenAgeMs, clockToleranceMs },
    ...{ logger, clock, metrics: createAuthMetrics(metrics) },
  });
  const timesOf = (payload: JWTPayload) => readTimes(payload, { maxTokenAgeMs, clockToleranceMs, clock });
  return {
    verify: async (authorization) => {
      if (authorization == null || authorization === '') return anonymous;
      const token = /^Bearer +([A-Za-z0-9_.-]+)$/i.exec(authorization.trim())?.[1];
      if (token === undefined)
        throw new TidegateError('UNAUTHENTICATED', 'Authorization has to be "Bearer" and a token.');
      if (token.length > MAX_TOKEN_CHARACTERS)
        throw new TidegateError('UNAUTHENTICATED', `A token has at most ${MAX_TOKEN_CHARACTERS} characters.`);
      try {
        const payload = await verifyJwt(token);
        const jti = tokenId.safeParse(payload.jti);
        return {
          ...{ ...mapping.read(payload), ...timesOf(payload), ...readClaims(payload, options.claims) },
          ...(jti.success && { tokenId: jti.data }),
        };
      } catch (error) {
        throw translate(error);
      }
    },
  };
}

function readTimes(
  payload: JWTPayload,
  rules: Required<Pick<TokenVerifierSettings, 'maxTokenAgeMs' | 'clockToleranceMs' | 'clock'>>,
): { readonly issuedAtMs: number; readonly expiresAtMs: number } {
  // `maxTokenAge` has made jose require `iat`.
  const issuedAtMs = payload.iat! * 1000;
  const expiresAtMs = Math.min((payload.exp ?? Infinity) * 1000, issuedAtMs + rules.maxTokenAgeMs);
  // A connection ends with its token. Only one that is opened within the tolerance after that lasts until its end.
  const isOver = expiresAtMs <= rules.clock();
  return { issuedAtMs, expiresAtMs: isOver ? expiresAtMs + rules.clockToleranceMs : expiresAtMs };
}

function translate(error: unknown): TidegateError {
  if (error instanceof TidegateError) return error;
  if (error instanceof errors.JWTExpired) return new TidegateError('TOKEN_EXPIRED', 'The token has expired.');
  return new TidegateError('UNAUTHENTICATED', 'The token is not valid here.', { cause: error });
}
