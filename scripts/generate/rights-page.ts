import { rights, type FieldRights } from '@order-platform/bff-shared';
import { alignedTable } from './aligned-table.ts';

/** Page with the table of rights. */
export const rightsPage = 'docs/rights.md';

const roles = ['anonymous', 'customer', 'partner', 'operator'] as const satisfies (keyof FieldRights)[];

const intro = `# Rights

Written by \`npm run generate\` from \`bffs/shared/src/rights.ts\`, which the BFFs enforce. A test tries every field as
every role.

- \`refused\`: \`UNAUTHENTICATED\` without a token, \`FORBIDDEN\` with one. Roles and fields that are not listed are refused.
- \`own\`: data of the viewer itself. A viewer without own data gets none.
- \`granted\`: data of the customers in the token's claim \`customers\`, a list of ids; nothing without the claim. A claim
  of another form is \`FORBIDDEN\`.
- \`all\`: data of every customer, or public data.

Data outside of a right is answered like data that does not exist: null, an absent item, \`NOT_FOUND\`, or the rejection
\`ORDER_NOT_FOUND\`, after the same wait for a version. Lists are restricted in the query of the service, so pages and
\`totalCount\` count visible orders only. Live scopes, and with them cursors, depend on the grants: a cursor of other grants
is \`CURSOR_FOREIGN\`.

A webhook endpoint has the rights of the token that registered it, until a token of its partner enables it again.
`;

/** Returns the whole page. */
export function renderRightsPage(): string {
  const sections = Object.entries(rights).map(([bff, fields]) => {
    const rows = Object.entries<FieldRights>(fields).map(([field, of]) => [
      `\`${field}\``,
      ...roles.map((role) => of[role]),
    ]);
    return `## BFF \`${bff}\`\n\n${alignedTable([['field', ...roles], ...rows])}\n`;
  });
  return [intro, ...sections].join('\n');
}
