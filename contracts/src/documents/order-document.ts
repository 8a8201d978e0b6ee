import { z } from 'zod';
import { defineMessage } from '@tidegate/core';
import { topics } from '../topics.ts';
import { accountId, id, isoTime, money, orderLine, rejection } from '../values.ts';

/**
 * PLACED → RESERVED → CONFIRMED → PREPARING → DISPATCHED → DELIVERED, or REJECTED, or CANCELLED.
 * Derived from all parts of the document, independent of the order in which the streams were joined.
 */
export const orderStatus = z.enum([
  'PLACED',
  'RESERVED',
  'CONFIRMED',
  'PREPARING',
  'DISPATCHED',
  'DELIVERED',
  'REJECTED',
  'CANCELLED',
]);
export type OrderStatus = z.infer<typeof orderStatus>;

/** Versions of the source streams that a document contains. 0: no message of that stream. */
export const orderVersionVector = z.object({
  orders: z.int().min(0),
  inventory: z.int().min(0),
  payments: z.int().min(0),
  shipping: z.int().min(0),
});

/** The whole view of one order, as queries return it and live fields stream it. */
export const orderDocument = z.object({
  orderId: id,
  /** Starts at 1 and grows by exactly one with each published document. */
  version: z.int().min(1),
  versionVector: orderVersionVector,
  customerId: accountId,
  status: orderStatus,
  lines: z.array(orderLine),
  total: money,
  note: z.string().optional(),
  reason: rejection.optional(),
  payment: z
    .object({ status: z.enum(['AUTHORIZED', 'DECLINED', 'REFUNDED']), reference: z.string().optional() })
    .optional(),
  shipment: z
    .object({
      shipmentId: id,
      status: z.enum(['PREPARED', 'DISPATCHED', 'DELIVERED']),
      carrier: z.string().optional(),
      trackingCode: z.string().optional(),
    })
    .optional(),
  /** Statuses that the order has reached, each with its time. Absent in documents from before this field. */
  steps: z.array(z.object({ status: orderStatus, at: isoTime })).optional(),
  placedAt: isoTime,
  updatedAt: isoTime,
});
export type OrderDocument = z.infer<typeof orderDocument>;

export const OrderDocumentChanged = defineMessage('OrderDocumentChanged', {
  owner: 'order-view',
  version: 1,
  topic: topics.orderDocuments,
  key: 'order id',
  schema: orderDocument,
});
