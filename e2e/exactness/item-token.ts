import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import type { TokenVerifier } from '@tidegate/gateway';

/** The clock that tokens are held against ticks in milliseconds: a JWT's ticks in seconds, and a run takes half of one. */
export function itemToken(
  subject: string,
  livesMs: number,
): { readonly token: string; readonly endsAtMs: number } {
  const endsAtMs = Date.now() + livesMs;
  return { token: `${subject}.${endsAtMs}`, endsAtMs };
}

/** Not signed: what tokens are worth is not what is tried here, but what becomes of a stream when they end. */
export const itemVerifier: TokenVerifier = {
  verify: (authorization) => {
    const [, subject, endsAt] = /^Bearer ([a-z0-9-]+)\.(\d+)$/.exec(authorization ?? '') ?? [];
    if (subject === undefined)
      return Promise.reject(new TidegateError('UNAUTHENTICATED', 'That is no token of an item client.'));
    const viewer: Viewer = { role: 'customer', id: subject, expiresAtMs: Number(endsAt) };
    if (Number(endsAt) > Date.now()) return Promise.resolve(viewer);
    return Promise.reject(new TidegateError('TOKEN_EXPIRED', 'The token has ended.'));
  },
};
