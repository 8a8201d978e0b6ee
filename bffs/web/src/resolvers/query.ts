import { listOrders, listProducts } from '@order-platform/contracts';
import { accessOf, rights, visibleOrder } from '@order-platform/bff-shared';
import { TidegateError } from '@tidegate/core';
import type { QueryResolvers } from '../generated/resolver-types.ts';
import { decodePageCursor, encodePageCursor } from '../page-cursor.ts';
import { requireStatuses } from '../require-statuses.ts';

const MAX_PAGE = 100;

export const query: QueryResolvers = {
  me: (_root, _args, { viewer }) => (viewer.role === 'anonymous' ? null : viewer),

  order: (_root, { id, notOlderThan, strict }, context) =>
    visibleOrder(context, id, { token: notOlderThan, strict }),

  orders: async (_root, args, context) => {
    const access = accessOf(context.viewer, rights.web['Query.orders']);
    requireStatuses('status', args.status);
    context.consistency.require(args.notOlderThan, args.strict);
    const freshness = await context.consistency.freshness('order');
    const after = args.after == null ? undefined : decodePageCursor(args.after);
    const page = await context.services.call(listOrders, {
      first: pageSize(args.first),
      access,
      ...(args.status && { statuses: [...args.status] }),
      ...(after && { after: { placedAt: after[0], orderId: after[1] } }),
      ...(freshness && { freshness }),
    });
    context.consistency.recordRead(page.satisfied);
    const edges = page.orders.map((node) => ({
      node,
      cursor: encodePageCursor(node.placedAt, node.orderId),
    }));
    return { edges, totalCount: page.totalCount, pageInfo: pageInfo(edges, page.hasNextPage) };
  },

  product: (_root, { id }, { loaders }) => loaders.products.load(id),

  products: async (_root, args, context) => {
    const after = args.after == null ? undefined : decodePageCursor(args.after);
    const page = await context.services.call(listProducts, {
      first: pageSize(args.first),
      ...(args.category != null && { category: args.category }),
      ...(after && { after: { name: after[0], productId: after[1] } }),
    });
    const edges = page.products.map((node) => ({
      node,
      cursor: encodePageCursor(node.name, node.productId),
    }));
    return { edges, totalCount: page.totalCount, pageInfo: pageInfo(edges, page.hasNextPage) };
  },
};

function pageSize(first: number): number {
  if (first >= 1 && first <= MAX_PAGE) return first;
  throw new TidegateError('BAD_USER_INPUT', `\`first\` is from 1 to ${MAX_PAGE}.`, {
    details: { argument: 'first' },
  });
}

function pageInfo(
  edges: readonly { cursor: string }[],
  hasNextPage: boolean,
): { hasNextPage: boolean; endCursor: string | null } {
  return { hasNextPage, endCursor: edges.at(-1)?.cursor ?? null };
}
