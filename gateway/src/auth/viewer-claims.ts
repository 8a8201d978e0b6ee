import type { Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import { jwtRules } from './jwt-rules.ts';

/**
 * Returns the named claims of a token. A claim that the token lacks is absent.
 *
 * @throws TidegateError UNAUTHENTICATED when the claims are larger than 4 KiB. They are not cut: a cut list of grants
 *   is another list.
 */
export function readClaims(
  payload: Readonly<Record<string, unknown>>,
  names: readonly string[] = [],
): Pick<Viewer, 'claims'> {
  const present = names.filter((name) => Object.hasOwn(payload, name));
  if (present.length === 0) return {};
  const claims = Object.fromEntries(present.map((name) => [name, payload[name]]));
  if (Buffer.byteLength(JSON.stringify(claims)) > jwtRules.maxClaimsBytes)
    throw new TidegateError(
      'UNAUTHENTICATED',
      `The token's claims are larger than ${jwtRules.maxClaimsBytes} bytes.`,
    );
  return { claims };
}
