import { z } from 'zod';

/** Ids appear in URLs, record keys and cursors, hence the small alphabet and the bound. */
export const id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'an id of 1 to 64 letters, digits, _ or -');

/** Text of a filter or of a page cursor: not empty, and without NUL, which Postgres cannot compare. */
export const filterText = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\0]*$/, 'a text without NUL');

/**
 * The id of a customer or of another actor: the subject that an identity provider gave it, such as
 * `auth0|507f1f77bcf86cd799439011` or an e-mail address.
 */
export const accountId = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, 'an id of 1 to 255 printable ASCII characters');

/** An amount in whole cents, never a float. */
export const money = z.object({ amountCents: z.int().min(0), currency: z.literal('EUR') });
export type Money = z.infer<typeof money>;

export const quantity = z.int().min(1).max(999);

export const orderLine = z.object({ productId: id, quantity, unitPriceCents: z.int().min(0) });
export type OrderLine = z.infer<typeof orderLine>;

/** Reason of a rejection: a code for programs, a sentence for people. */
export const rejection = z.object({ code: z.string().regex(/^[A-Z][A-Z_]*$/), message: z.string().min(1) });
export type Rejection = z.infer<typeof rejection>;

export const isoTime = z.iso.datetime({ offset: true });
