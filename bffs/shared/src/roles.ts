/** Roles that tokens of the order platform may name. */
export const roles = ['customer', 'operator', 'partner'] as const;
