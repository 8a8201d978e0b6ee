import { TidegateError } from '@tidegate/core';
import type { JWTPayload } from 'jose';

/** Place of a token's `tid` in an issuer, as the metadata of Entra's multi-tenant endpoints has it. */
const TENANT = '{tenantid}';
/** Tenant whose address serves the metadata of all. */
const EVERY_TENANT = 'common';
const tenantId = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/**
 * Returns the accepted issuer that a token is of; undefined when there is none. One with `{tenantid}` accepts the tokens
 * of every tenant: `tid` has to be a UUID and `iss` the issuer with it.
 */
export function acceptedIssuer(accepted: readonly string[], { iss, tid }: JWTPayload): string | undefined {
  if (iss === undefined) return undefined;
  const isTenant = typeof tid === 'string' && tenantId.test(tid);
  return accepted.find((issuer) =>
    issuer.includes(TENANT) ? isTenant && issuer.replace(TENANT, tid) === iss : issuer === iss,
  );
}

/** Returns the address of an issuer's metadata, without the path that all issuers have in common. */
export function metadataBase(issuer: string): string {
  return issuer.replace(TENANT, EVERY_TENANT).replace(/\/$/, '');
}

/** @throws TidegateError CONFIG_INVALID when an issuer of every tenant would be accepted by a shared secret. */
export function refuseTenants(issuers: readonly string[]): void {
  if (!issuers.some((issuer) => issuer.includes(TENANT))) return;
  throw new TidegateError(
    'CONFIG_INVALID',
    `JWT_ISSUER has ${TENANT}, which needs an identity provider's keys: JWT_SECRET is set and JWKS_URL is not`,
  );
}
