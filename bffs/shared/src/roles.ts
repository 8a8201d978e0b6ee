/** Roles in tokens of the order platform. */
export const roles = ['customer', 'operator', 'partner'] as const;
export type Role = (typeof roles)[number];

/** Claims of a token that rights depend on: `customers` lists the ids of the customers granted to a partner. */
export const viewerClaims = ['customers'] as const;
