import { z } from 'zod';
import { defineMessage, defineTopic } from '@tidegate/core';

const isoTime = z.iso.datetime({ offset: true });

/** A token's `sub`, as the gateway takes it. */
export const tokenSubject = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'a subject');

/** A token's `jti` (RFC 7519, 4.1.7). */
export const tokenId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'a token id of 1 to 128 printable characters');

/** One token, or everything that a subject was given before a time. */
export const revokedAccess = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('token'), tokenId }),
  z.object({ kind: z.literal('subject'), subject: tokenSubject, issuedBefore: isoTime }),
]);
export type RevokedAccess = z.infer<typeof revokedAccess>;

/** An operator took access away. What is older than `until` no token can be any more: it may be forgotten then. */
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
