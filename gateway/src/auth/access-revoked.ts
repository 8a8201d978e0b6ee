import { z } from 'zod';
import { defineMessage, defineTopic } from '@tidegate/core';
import { tokenId, tokenSubject } from './jwt-rules.ts';

const isoTime = z.iso.datetime({ offset: true });

/** One token, or all tokens that were issued to a subject until a time. */
export const revokedAccess = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token'), tokenId }),
  z.object({ kind: z.literal('subject'), subject: tokenSubject, issuedBefore: isoTime }),
]);
export type RevokedAccess = z.infer<typeof revokedAccess>;

/** An operator revoked access. No token is older than `until`, so the revocation may be deleted then. */
export const AccessRevoked = defineMessage('AccessRevoked', {
  owner: 'access',
  version: 1,
  topic: defineTopic(
    'access.revocations',
    'compact',
    'tokens that are refused before their end, keyed by token or subject',
  ),
  key: '`token:` and the token id, or `subject:` and the subject',
  schema: z.object({ access: revokedAccess, until: isoTime, by: z.string().min(1) }),
});
