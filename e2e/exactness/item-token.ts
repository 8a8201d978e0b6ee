import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { TokenVerifier } from '@tidegate/gateway';

/**
 * Creates a token with an expiry in milliseconds. A JWT's expiry is in whole seconds, which is longer than a run.
 *
 * @param lifetimeMs lifetime in milliseconds.
 */
export function itemToken(
  subject: string,
  lifetimeMs: number,
): { readonly token: string; readonly expiresAtMs: number } {
  const expiresAtMs = Date.now() + lifetimeMs;
  return { token: `${subject}.${expiresAtMs}`, expiresAtMs };
}

/** Verifies the expiry only. Tokens are unsigned: the property is about expiry, not about authentication. */
export const itemVerifier: TokenVerifier = {
  verify: (authorization) => {
    const [, subject, expiresAt] = /^Bearer ([a-z0-9-]+)\.(\d+)$/.exec(authorization ?? '') ?? [];
    if (subject === undefined)
      return Promise.reject(new TidegateError('UNAUTHENTICATED', 'That is no token of an item client.'));
    const viewer: Viewer = { role: 'customer', id: subject, expiresAtMs: Number(expiresAt) };
    if (Number(expiresAt) > Date.now()) return Promise.resolve(viewer);
    return Promise.reject(new TidegateError('TOKEN_EXPIRED', 'The token has ended.'));
  },
};
