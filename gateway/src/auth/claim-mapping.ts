import { TidegateError } from '@tidegate/core';
import type { JWTPayload } from 'jose';
import { jwtRules, tokenSubject } from './jwt-rules.ts';
import { readClaim } from './read-claim.ts';

/** Names of the claims that an identity provider uses. A name is a path, as `readClaim` reads it. */
export interface ClaimNames {
  /** Claim of the viewer's id, such as `oid` of Entra. Default `sub`. Its values have to be unique over all issuers. */
  readonly subjectClaim?: string | undefined;
  /**
   * Claims that hold the names of roles, such as `realm_access.roles` or `roles` and `scp`. Each is a name, a list of
   * names, or names separated by spaces. Default: the claim `role`, which has to be one name.
   */
  readonly roleClaims?: readonly string[] | undefined;
  /**
   * Pairs of a provider's role and the gateway's role for it. The first pair whose provider's role the token has gives
   * the viewer's role. The provider's role `*` is had by every token. Default: each of the gateway's roles by its own
   * name, in the order of `JwtOptions.roles`.
   */
  readonly roleNames?: readonly (readonly [providerRole: string, role: string])[] | undefined;
  /** Claim of the viewer's tenant, such as `tid` of Entra. A token without it is refused. Default: no tenant is read. */
  readonly tenantClaim?: string | undefined;
}

/** Any provider's role. */
const EVERY_TOKEN = '*';

/** Reads subject, role and tenant of a verified token. */
export class ClaimMapping {
  readonly #names: ClaimNames;
  readonly #roleNames: readonly (readonly [providerRole: string, role: string])[];

  /** @throws TidegateError CONFIG_INVALID when a pair names a role that the gateway does not have. */
  constructor(names: ClaimNames, roles: readonly string[]) {
    this.#names = names;
    this.#roleNames = names.roleNames ?? roles.map((role) => [role, role] as const);
    const unknown = this.#roleNames.find(([, role]) => !roles.includes(role));
    if (unknown) {
      throw new TidegateError(
        'CONFIG_INVALID',
        `JWT_ROLES maps ${unknown[0]} to ${unknown[1]}, which is none of the roles ${roles.join(', ')}`,
      );
    }
  }

  /** @throws TidegateError UNAUTHENTICATED when the token lacks one of them or it has another form. */
  read(payload: JWTPayload): { readonly id: string; readonly role: string; readonly tenant?: string } {
    const { subjectClaim = jwtRules.subjectClaim, tenantClaim } = this.#names;
    const subject = tokenSubject.safeParse(readClaim(payload, subjectClaim));
    if (!subject.success) throw new TidegateError('UNAUTHENTICATED', 'The token names no subject.');
    const role = this.#role(payload);
    if (role === undefined)
      throw new TidegateError('UNAUTHENTICATED', 'The token names no role that is known here.');
    if (tenantClaim === undefined) return { id: subject.data, role };
    const tenant = tokenSubject.safeParse(readClaim(payload, tenantClaim));
    if (!tenant.success) throw new TidegateError('UNAUTHENTICATED', 'The token names no tenant.');
    return { id: subject.data, role, tenant: tenant.data };
  }

  #role(payload: JWTPayload): string | undefined {
    const has = new Set(this.#providerRoles(payload));
    return this.#roleNames.find(([name]) => name === EVERY_TOKEN || has.has(name))?.[1];
  }

  #providerRoles(payload: JWTPayload): string[] {
    const { roleClaims } = this.#names;
    if (roleClaims) return roleClaims.flatMap((claim) => namesIn(readClaim(payload, claim)));
    const role = readClaim(payload, jwtRules.roleClaim);
    return typeof role === 'string' ? [role] : [];
  }
}

/** A text is one name, which may have spaces, and, as an OAuth scope (RFC 6749, 3.3), several. */
function namesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value, ...value.split(' ')];
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : [];
}
