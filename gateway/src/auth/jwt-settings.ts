import { listOf, pairs, secret, text, texts, url } from '@tidegate/runtime/config';
import { knownAlgorithms } from './jwt-rules.ts';
import type { JwtOptions } from './token-verifier.ts';

/** The part of `JwtOptions` that environment variables set. */
export type JwtEnvironmentOptions = Omit<JwtOptions, 'roles' | 'claims'>;

const algorithms = [...knownAlgorithms.secret, ...knownAlgorithms.publicKeys] as const;

/** Environment variables of the keys, rules and claims of tokens. See `jwtOptionsFrom`. */
export const jwtSettings = {
  JWT_SECRET: secret('what tokens are signed with; or set JWKS_URL or JWT_ISSUER').optional(),
  JWKS_URL: url(['https', 'http'], "where the identity provider's keys are served").optional(),
  JWT_ISSUER: texts('accepted values of the claim iss').optional(),
  JWT_AUDIENCE: texts('accepted values of the claim aud').optional(),
  JWT_ALGORITHMS: listOf(algorithms, 'accepted values of alg').optional(),
  JWT_SUBJECT_CLAIM: text("the claim of the viewer's id").optional(),
  JWT_ROLE_CLAIM: texts('claims of roles, such as realm_access.roles').optional(),
  JWT_ROLES: pairs("a provider's roles and the role that each gives here").optional(),
  JWT_TENANT_CLAIM: text("the claim of the viewer's tenant").optional(),
};

/** Values of `jwtSettings`. */
export type JwtSettings = {
  readonly [Name in keyof typeof jwtSettings]?: (typeof jwtSettings)[Name]['_output'];
};

/** Returns the options that the variables set; undefined when they name no keys, nor an issuer to discover keys of. */
export function jwtOptionsFrom(config: JwtSettings): JwtEnvironmentOptions | undefined {
  const { JWT_SECRET: sharedSecret, JWKS_URL: jwksUrl, JWT_ISSUER: issuer } = config;
  if (sharedSecret === undefined && jwksUrl === undefined && issuer === undefined) return undefined;
  return {
    ...{ secret: sharedSecret, jwksUrl, issuer },
    audience: config.JWT_AUDIENCE,
    algorithms: config.JWT_ALGORITHMS,
    subjectClaim: config.JWT_SUBJECT_CLAIM,
    roleClaims: config.JWT_ROLE_CLAIM,
    roleNames: config.JWT_ROLES,
    tenantClaim: config.JWT_TENANT_CLAIM,
  };
}
