import { TidegateError } from '@tidegate/core';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';

/** The partner whose endpoints a caller may manage, or `everybody` for an operator. */
export type EndpointOwner = { readonly partner: string } | 'everybody';

/** @throws TidegateError FORBIDDEN for a role that manages no endpoints. */
export function ownerOf({ role, id }: VerifiedViewer): EndpointOwner {
  if (role === 'partner') return { partner: id };
  if (role === 'operator') return 'everybody';
  throw new TidegateError('FORBIDDEN', 'Your role manages no endpoints.');
}
