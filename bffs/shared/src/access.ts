import { createHash } from 'node:crypto';
import { accountId, id, includesCustomer, type Access } from '@order-platform/contracts';
import { anonymous, requireRole, type LiveScope, type Viewer } from '@tidegate/bff';
import { TidegateError } from '@tidegate/core';
import { z } from 'zod';
import type { FieldRights, Right } from './rights.ts';

const nothing: Access = { kind: 'customers', customerIds: [] };
const grants = z.array(accountId).max(1_000);

/**
 * Returns the customers whose data the viewer may see by these rights.
 *
 * @throws TidegateError UNAUTHENTICATED or FORBIDDEN when the viewer's role is refused or unknown, FORBIDDEN when the
 *   grants in a partner's token are malformed.
 */
export function accessOf(viewer: Viewer, rights: FieldRights): Access {
  switch (rightOf(viewer, rights)) {
    case 'refused': {
      const allowed = Object.keys(rights).filter((role) => rights[role as keyof FieldRights] !== 'refused');
      requireRole(viewer, ...allowed);
      throw new TidegateError('FORBIDDEN', 'Your role may not do this.');
    }
    case 'own':
      return viewer.id === '' ? nothing : { kind: 'customers', customerIds: [viewer.id] };
    case 'granted':
      return { kind: 'customers', customerIds: grantedCustomers(viewer) };
    case 'all':
      return { kind: 'all' };
  }
}

/**
 * Returns the live scope of a viewer's access to data of customers. Scopes of equal grants are equal, and cursors are
 * bound to them: a token with other grants continues no stream of the former ones.
 */
export function scopeOf<Data extends { customerId: string }>(
  viewer: Viewer,
  access: Access,
): LiveScope<Data> {
  const { role } = viewer;
  if (access.kind === 'all') return { id: role, viewer: { role, id: '' }, sees: () => true };
  if (role === 'customer') {
    return {
      id: `customer:${viewer.id}`,
      viewer: { role, id: viewer.id },
      sees: ({ customerId }) => includesCustomer(access, customerId),
    };
  }
  const customers = access.customerIds;
  const granted = new Set(customers);
  const hash = createHash('sha256').update(JSON.stringify(customers)).digest('base64url');
  return {
    id: `${role}:${hash}`,
    viewer: { role, id: '', claims: { customers } },
    sees: ({ customerId }) => granted.has(customerId),
  };
}

/** Access rule for public data. */
export const publicScope: LiveScope = { id: 'public', viewer: anonymous, sees: () => true };

/** Term of the order stream that holds every order of the access, and of one customer when it is given. */
export function orderTerm(access: Access, customerId?: string | null): string {
  if (customerId != null) return `customer:${customerId}`;
  if (access.kind === 'all') return 'all';
  const [first, ...others] = access.customerIds;
  if (first === undefined) return 'none';
  return others.length === 0 ? `customer:${first}` : 'all';
}

/** Returns the argument when it is an id. @throws TidegateError BAD_USER_INPUT for anything else, the empty text too. */
export function parseId(argument: string, value: string): string {
  return parseAs(id, argument, value);
}

/** Returns the argument when it is the id of a customer. @throws TidegateError BAD_USER_INPUT for anything else. */
export function parseAccountId(argument: string, value: string): string {
  return parseAs(accountId, argument, value);
}

function parseAs(form: z.ZodString, argument: string, value: string): string {
  const parsed = form.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TidegateError('BAD_USER_INPUT', `\`${argument}\` is not ${parsed.error.issues[0]!.message}.`, {
    details: { argument },
  });
}

function rightOf({ role }: Viewer, rights: FieldRights): Right {
  return Object.hasOwn(rights, role) ? rights[role as keyof FieldRights] : 'refused';
}

/** Sorted and without repeats, so that equal grants are equal scopes. Absent grants are none. */
function grantedCustomers({ claims }: Viewer): string[] {
  const claim = claims?.['customers'];
  if (claim === undefined) return [];
  const parsed = grants.safeParse(claim);
  if (parsed.success) return [...new Set(parsed.data)].sort();
  throw new TidegateError('FORBIDDEN', 'The `customers` claim of your token is not a list of customer ids.');
}
