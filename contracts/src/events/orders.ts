import { z } from 'zod';
import { defineMessage } from '@tidegate/core';
import { topics } from '../topics.ts';
import { accountId, id, money, orderLine, rejection } from '../values.ts';

const orders = { owner: 'orders', version: 1, topic: topics.orderEvents, key: 'order id' } as const;

export const OrderPlaced = defineMessage('OrderPlaced', {
  ...orders,
  schema: z.object({
    orderId: id,
    customerId: accountId,
    lines: z.array(orderLine).min(1).max(50),
    total: money,
    note: z.string().max(500).optional(),
  }),
});

/** Stock is reserved and the payment authorised. */
export const OrderConfirmed = defineMessage('OrderConfirmed', {
  ...orders,
  schema: z.object({ orderId: id }),
});

export const OrderRejected = defineMessage('OrderRejected', {
  ...orders,
  schema: z.object({ orderId: id, reason: rejection }),
});

export const OrderCancelled = defineMessage('OrderCancelled', {
  ...orders,
  schema: z.object({ orderId: id, reason: z.string().max(500) }),
});

/** The shipment is dispatched: the order can no longer be cancelled, and its stock is sold. */
export const OrderDispatched = defineMessage('OrderDispatched', {
  ...orders,
  schema: z.object({ orderId: id }),
});

/** The shipment is delivered. The last event of a successful order. */
export const OrderCompleted = defineMessage('OrderCompleted', {
  ...orders,
  schema: z.object({ orderId: id }),
});

export const orderEvents = [
  OrderPlaced,
  OrderConfirmed,
  OrderRejected,
  OrderCancelled,
  OrderDispatched,
  OrderCompleted,
] as const;

export const CommandOutcome = defineMessage('CommandOutcome', {
  owner: 'orders',
  version: 1,
  topic: topics.commandOutcomes,
  key: 'command id',
  schema: z.object({
    commandId: id,
    customerId: accountId,
    command: z.string(),
    orderId: id.optional(),
    outcome: z.discriminatedUnion('status', [
      z.object({ status: z.literal('accepted'), token: z.string() }),
      z.object({ status: z.literal('rejected'), reason: rejection }),
    ]),
  }),
});
