import { TidegateError } from '@tidegate/errors';

export type ViewerRole = 'anonymous' | 'customer' | 'operator' | 'partner';

/** Who is asking, as the gateway verified it. */
export interface Viewer {
  readonly role: ViewerRole;
  /** The token's subject; empty for an anonymous viewer. */
  readonly id: string;
  /** When the token ends, milliseconds since the epoch; absent for an anonymous viewer. */
  readonly expiresAtMs?: number;
}

export const anonymous: Viewer = { role: 'anonymous', id: '' };

/** @throws TidegateError UNAUTHENTICATED without a token, FORBIDDEN with one of another role. */
export function requireRole(viewer: Viewer, ...roles: readonly ViewerRole[]): void {
  if (roles.includes(viewer.role)) return;
  if (viewer.role === 'anonymous') {
    throw new TidegateError('UNAUTHENTICATED', 'This needs a bearer token; none was sent.');
  }
  throw new TidegateError('FORBIDDEN', `This is for ${roles.join(' and ')}s; you are a ${viewer.role}.`);
}
