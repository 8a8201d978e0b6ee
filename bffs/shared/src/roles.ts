/** Roles in tokens of the order platform. */
export const roles = ['customer', 'operator', 'partner'] as const;
