import { z } from 'zod';
import { defineMessage } from '@tidegate/core';
import { topics } from '../topics.ts';
import { id } from '../values.ts';

const shipping = { owner: 'shipping', version: 1, topic: topics.shipmentEvents, key: 'order id' } as const;

export const ShipmentPrepared = defineMessage('ShipmentPrepared', {
  ...shipping,
  schema: z.object({ orderId: id, shipmentId: id }),
});

export const ShipmentDispatched = defineMessage('ShipmentDispatched', {
  ...shipping,
  schema: z.object({ orderId: id, shipmentId: id, carrier: z.string(), trackingCode: z.string() }),
});

export const ShipmentDelivered = defineMessage('ShipmentDelivered', {
  ...shipping,
  schema: z.object({ orderId: id, shipmentId: id }),
});

export const shipmentEvents = [ShipmentPrepared, ShipmentDispatched, ShipmentDelivered] as const;
