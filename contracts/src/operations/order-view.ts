import { z } from 'zod';
import { orderDocument, orderStatus } from '../documents/order-document.ts';
import { id } from '../values.ts';
import { defineOperation } from '@tidegate/core';

/** Minimum versions of an answer (read-your-writes). The view waits for them at most `waitMs` milliseconds. */
export const freshness = z.object({ token: z.string(), waitMs: z.int().min(0).max(10_000) });

/** Orders in the order of the ids, null for unknown ones. `satisfied` is false when the wait timed out. */
export const getOrders = defineOperation({
  service: 'order-view',
  kind: 'queries',
  name: 'get-orders',
  input: z.object({ ids: z.array(id).min(1).max(500), freshness: freshness.optional() }),
  output: z.object({ orders: z.array(orderDocument.nullable()), satisfied: z.boolean() }),
});

/** A page of orders, newest first. `after` is the `(placedAt, orderId)` of the previous page's last order. */
export const listOrders = defineOperation({
  service: 'order-view',
  kind: 'queries',
  name: 'list-orders',
  input: z.object({
    customerId: id.optional(),
    statuses: z.array(orderStatus).max(8).optional(),
    first: z.int().min(1).max(100),
    after: z.object({ placedAt: z.string(), orderId: id }).optional(),
    freshness: freshness.optional(),
  }),
  output: z.object({
    orders: z.array(orderDocument),
    hasNextPage: z.boolean(),
    totalCount: z.int(),
    satisfied: z.boolean(),
  }),
});
