import { z } from 'zod';
import { accountId } from '../values.ts';

/**
 * The customers whose data a caller may see. Required in every read of customers' data: an allow-list, so that a caller
 * that leaves it out is refused instead of seeing everything.
 */
export const access = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.literal('customers'), customerIds: z.array(accountId).max(1_000) }),
]);
export type Access = z.infer<typeof access>;

/** Returns true when the access includes the customer; an unknown customer (`null`) is in `all` only. */
export function includesCustomer(given: Access, customerId: string | null): boolean {
  return given.kind === 'all' || (customerId !== null && given.customerIds.includes(customerId));
}
