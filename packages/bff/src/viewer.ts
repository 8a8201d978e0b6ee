import { TidegateError } from '@tidegate/core';

/** The authenticated caller of an operation. */
export interface Viewer {
  /** The token's role, or `anonymous` without a token. */
  readonly role: string;
  /** The token's subject; empty for an anonymous viewer. */
  readonly id: string;
  /** The token's tenant; absent unless the gateway was configured to read one. */
  readonly tenant?: string;
  /** Expiry of the token in milliseconds since the epoch; absent for an anonymous viewer. */
  readonly expiresAtMs?: number;
  /** Further claims of the token, by name: those that the gateway was configured to read. Absent without any. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The viewer of a request without a token. */
export const anonymous: Viewer = { role: 'anonymous', id: '' };

/**
 * Checks that the viewer has one of the roles.
 *
 * @throws TidegateError UNAUTHENTICATED for an anonymous viewer, FORBIDDEN for a viewer of another role.
 */
export function requireRole(viewer: Viewer, ...roles: readonly string[]): void {
  if (roles.includes(viewer.role)) return;
  if (viewer.role === 'anonymous') {
    throw new TidegateError('UNAUTHENTICATED', 'This needs a bearer token; none was sent.');
  }
  throw new TidegateError('FORBIDDEN', `This is for ${roles.join(' and ')}s; you are a ${viewer.role}.`);
}
