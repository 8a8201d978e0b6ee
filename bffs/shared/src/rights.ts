import type { Role } from './roles.ts';

/**
 * Right of a role in a field.
 *
 * - `refused`: UNAUTHENTICATED for an anonymous viewer, FORBIDDEN for any other.
 * - `own`: data of the viewer itself.
 * - `granted`: data of the customers in the token's `customers` claim; nothing without the claim.
 * - `all`: data of every customer, or public data.
 */
export type Right = 'refused' | 'own' | 'granted' | 'all';

/** Rights of every role in one field. A role that is not listed is refused. */
export type FieldRights = Readonly<Record<Role | 'anonymous', Right>>;

const orders: FieldRights = { anonymous: 'refused', customer: 'own', partner: 'granted', operator: 'all' };
const customersOnly: FieldRights = {
  anonymous: 'refused',
  customer: 'own',
  partner: 'refused',
  operator: 'refused',
};
const ownOnly: FieldRights = { anonymous: 'own', customer: 'own', partner: 'own', operator: 'own' };
const everybody: FieldRights = { anonymous: 'all', customer: 'all', partner: 'all', operator: 'all' };

/**
 * The one table of rights: every root field of every BFF, and the rights of each role in it. BFFs refuse a field that it
 * lacks, `docs/rights.md` is generated from it, and a test tries every field as every role.
 */
export const rights = {
  web: {
    'Query.me': ownOnly,
    'Query.order': orders,
    'Query.orders': orders,
    'Query.product': everybody,
    'Query.products': everybody,
    'Mutation.placeOrder': { ...customersOnly, operator: 'own' },
    'Mutation.cancelOrder': { ...customersOnly, operator: 'all' },
    'Subscription.order': orders,
    'Subscription.orders': orders,
    'Subscription.stock': everybody,
    'Subscription.commandOutcome': orders,
  },
  mobile: {
    'Query.home': ownOnly,
    'Query.orderScreen': orders,
    'Mutation.order': customersOnly,
    'Subscription.orderScreen': orders,
    'Subscription.activity': customersOnly,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, FieldRights>>>>;

/** Rights to read orders, the same in every BFF. */
export const orderRights: FieldRights = orders;
