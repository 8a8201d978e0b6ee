import { z } from 'zod';
import { defineMessage } from '@tidegate/core';
import { topics } from '../topics.ts';
import { accountId, id, money, orderLine, rejection } from '../values.ts';

const reservations = {
  owner: 'inventory',
  version: 1,
  topic: topics.reservationEvents,
  key: 'order id',
} as const;

/** Carries the order's data for payments, so that payments need not join two streams. */
export const StockReserved = defineMessage('StockReserved', {
  ...reservations,
  schema: z.object({ orderId: id, customerId: accountId, lines: z.array(orderLine), total: money }),
});

export const StockRejected = defineMessage('StockRejected', {
  ...reservations,
  schema: z.object({ orderId: id, reason: rejection }),
});

export const StockReleased = defineMessage('StockReleased', {
  ...reservations,
  schema: z.object({ orderId: id }),
});

export const reservationEvents = [StockReserved, StockRejected, StockReleased] as const;

const products = { owner: 'inventory', version: 1, topic: topics.productEvents, key: 'product id' } as const;

export const ProductListed = defineMessage('ProductListed', {
  ...products,
  schema: z.object({
    productId: id,
    name: z.string().min(1).max(120),
    description: z.string().max(1000),
    category: z.string().min(1).max(60),
    priceCents: z.int().min(0),
    /** An emoji in place of a picture. */
    image: z.string().max(16),
    available: z.int().min(0),
  }),
});

/** Absolute quantities, not differences: the last message alone has the present level. */
export const StockLevelChanged = defineMessage('StockLevelChanged', {
  ...products,
  schema: z.object({ productId: id, available: z.int().min(0), reserved: z.int().min(0) }),
});

export const productEvents = [ProductListed, StockLevelChanged] as const;
