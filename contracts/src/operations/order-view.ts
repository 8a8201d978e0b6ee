import { z } from 'zod';
import { orderDocument, orderStatus } from '../documents/order-document.ts';
import { id, isoTime } from '../values.ts';
import { defineOperation } from '@tidegate/core';
import { access } from './access.ts';

/** Minimum versions of an answer (read-your-writes). The view waits for them at most `waitMs` milliseconds. */
export const freshness = z.object({ token: z.string(), waitMs: z.int().min(0).max(10_000) });

/**
 * Orders in the order of the ids, null for unknown ones and for those outside of `access`. `satisfied` is false when the
 * wait timed out; an order outside of `access` is waited for like one that does not exist.
 */
export const getOrders = defineOperation({
  service: 'order-view',
  kind: 'queries',
  name: 'get-orders',
  input: z.object({ ids: z.array(id).min(1).max(500), access, freshness: freshness.optional() }),
  output: z.object({ orders: z.array(orderDocument.nullable()), satisfied: z.boolean() }),
});

/** A page of the orders in `access`, newest first. `after` is the `(placedAt, orderId)` of the previous page's last order. */
export const listOrders = defineOperation({
  service: 'order-view',
  kind: 'queries',
  name: 'list-orders',
  input: z.object({
    access,
    statuses: z.array(orderStatus).min(1).max(8).optional(),
    first: z.int().min(1).max(100),
    after: z.object({ placedAt: isoTime, orderId: id }).optional(),
    freshness: freshness.optional(),
  }),
  output: z.object({
    orders: z.array(orderDocument),
    hasNextPage: z.boolean(),
    totalCount: z.int(),
    satisfied: z.boolean(),
  }),
});
