import { TidegateError } from '@tidegate/core';
import type { Logger } from '@tidegate/runtime/telemetry';
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyOptions,
} from 'jose';
import { acceptedIssuer, refuseTenants } from './accepted-issuers.ts';
import { discoverKeysUrl } from './discovery.ts';
import { jwtRules, knownAlgorithms } from './jwt-rules.ts';
import type { AuthMetrics } from './metrics.ts';
import { ProviderKeys } from './provider-keys.ts';

/** Keys of tokens and the rules for them. */
export interface JwtKeys {
  /** Shared secret of at least 32 characters that tokens are signed with. Not read when there is a `jwksUrl`. */
  readonly secret?: string | undefined;
  /** Address of the identity provider's public keys. Default: the one that each issuer's metadata names. */
  readonly jwksUrl?: string | undefined;
  /**
   * Accepted values of `iss`. Without `secret` and `jwksUrl` their keys are discovered. `{tenantid}` in one stands for the
   * token's `tid`, a UUID: it accepts every tenant of Entra. Default `tidegate`.
   */
  readonly issuer?: string | readonly string[] | undefined;
  /** Accepted values of `aud`. Default `tidegate`. */
  readonly audience?: string | readonly string[] | undefined;
  /** Accepted values of `alg`. Default `HS256` for a secret, else `RS256`, `ES256` and `EdDSA`. */
  readonly algorithms?: readonly string[] | undefined;
}

/** Durations in milliseconds, see `TokenVerifierSettings`. */
export interface JwtVerificationSettings {
  readonly maxTokenAgeMs: number;
  readonly clockToleranceMs: number;
  readonly keysMaxAgeMs: number;
  readonly keysMaxStaleMs: number;
  readonly keysCooldownMs: number;
  readonly keysTimeoutMs: number;
  readonly logger: Logger;
  readonly metrics: AuthMetrics;
  readonly clock: () => number;
}

type VerifyJwt = (token: string) => Promise<JWTPayload>;

const MIN_SECRET_CHARACTERS = 32;

/** @throws TidegateError CONFIG_INVALID when there are no keys, or the algorithms do not fit them. */
export function createJwtVerification(keys: JwtKeys, settings: JwtVerificationSettings): VerifyJwt {
  const rules: JWTVerifyOptions & { issuer: string[] } = {
    issuer: listOf(keys.issuer ?? jwtRules.issuer, 'JWT_ISSUER'),
    audience: listOf(keys.audience ?? jwtRules.audience, 'JWT_AUDIENCE'),
    algorithms: algorithmsOf(keys),
    maxTokenAge: Math.floor(settings.maxTokenAgeMs / 1000),
    clockTolerance: Math.floor(settings.clockToleranceMs / 1000),
  };
  if (keys.jwksUrl !== undefined) {
    const { jwksUrl } = keys;
    const store = createProviderKeys(jwksUrl, async () => jwksUrl, settings);
    return createProviderVerification(
      new Map(rules.issuer.map((issuer) => [issuer, store])),
      rules,
      settings,
    );
  }
  if (keys.secret !== undefined) {
    refuseTenants(rules.issuer);
    return createSecretVerification(keys.secret, rules, settings);
  }
  const stores = rules.issuer.map((issuer) => {
    if (!/^https?:/.test(issuer) || !URL.canParse(issuer))
      throw new TidegateError(
        'CONFIG_INVALID',
        'JWT_SECRET is not set; it expects a secret of at least 32 characters, or JWKS_URL in its place, or a JWT_ISSUER that is the URL of an OpenID provider',
      );
    const locate = (timeoutMs: number) => discoverKeysUrl(issuer, timeoutMs);
    return [issuer, createProviderKeys(issuer, locate, settings)] as const;
  });
  return createProviderVerification(new Map(stores), rules, settings);
}

function createSecretVerification(
  secret: string,
  rules: JWTVerifyOptions,
  { clock }: JwtVerificationSettings,
): VerifyJwt {
  if (secret.length < MIN_SECRET_CHARACTERS)
    throw new TidegateError('CONFIG_INVALID', 'JWT_SECRET is shorter than 32 characters');
  const key = new TextEncoder().encode(secret);
  return async (token) => (await jwtVerify(token, key, { ...rules, currentDate: new Date(clock()) })).payload;
}

function createProviderVerification(
  providers: ReadonlyMap<string, ProviderKeys>,
  rules: JWTVerifyOptions,
  { clock }: JwtVerificationSettings,
): VerifyJwt {
  const issuers = [...providers.keys()];
  return async (token) => {
    // Before any key is fetched: a token of another issuer must not depend on this one's provider.
    const claims = decodeJwt(token);
    const issuer = acceptedIssuer(issuers, claims);
    const provider = issuer === undefined ? undefined : providers.get(issuer);
    if (claims.iss === undefined || !provider) throw new errors.JWTInvalid('the token is of another issuer');
    const options = { ...rules, issuer: claims.iss, currentDate: new Date(clock()) };
    try {
      return await verifyByProvider(token, provider, options);
    } catch (error) {
      // A token that names no key cannot tell that the keys were rotated.
      const mayBeRotated =
        error instanceof errors.JWSSignatureVerificationFailed &&
        decodeProtectedHeader(token).kid === undefined;
      if (mayBeRotated && (await provider.renew())) return verifyByProvider(token, provider, options);
      throw error;
    }
  };
}

async function verifyByProvider(
  token: string,
  provider: ProviderKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, (header, jws) => provider.find(header, jws), options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (failure) {
        if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

function createProviderKeys(
  provider: string,
  locate: (timeoutMs: number) => Promise<string>,
  settings: JwtVerificationSettings,
): ProviderKeys {
  const { keysMaxAgeMs, keysMaxStaleMs, keysCooldownMs, keysTimeoutMs, logger, metrics, clock } = settings;
  return new ProviderKeys({
    ...{ provider, locate, logger, metrics, clock, maxAgeMs: keysMaxAgeMs, maxStaleMs: keysMaxStaleMs },
    ...{ cooldownMs: keysCooldownMs, timeoutMs: keysTimeoutMs },
  });
}

function algorithmsOf({ algorithms, jwksUrl, secret }: JwtKeys): string[] {
  const kind = jwksUrl === undefined && secret !== undefined ? 'secret' : 'publicKeys';
  const known: readonly string[] = knownAlgorithms[kind];
  const asked = listOf(algorithms ?? jwtRules.algorithms[kind], 'JWT_ALGORITHMS');
  const unfit = asked.find((algorithm) => !known.includes(algorithm));
  if (unfit === undefined) return asked;
  const keys = kind === 'secret' ? 'a shared secret' : 'public keys';
  throw new TidegateError(
    'CONFIG_INVALID',
    `JWT_ALGORITHMS names ${unfit}; with ${keys} it expects ${known.join(', ')}`,
  );
}

/** An empty list, or an empty value in it, would switch the check off. */
function listOf(values: string | readonly string[], variable: string): string[] {
  const list = typeof values === 'string' ? [values] : [...values];
  if (list.length > 0 && list.every((value) => value !== '')) return list;
  throw new TidegateError('CONFIG_INVALID', `${variable} is empty`);
}
