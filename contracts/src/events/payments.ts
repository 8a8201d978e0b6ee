import { z } from 'zod';
import { defineMessage } from '@tidegate/core';
import { topics } from '../topics.ts';
import { id, money, rejection } from '../values.ts';

const payments = { owner: 'payments', version: 1, topic: topics.paymentEvents, key: 'order id' } as const;

export const PaymentAuthorized = defineMessage('PaymentAuthorized', {
  ...payments,
  schema: z.object({ orderId: id, amount: money, providerReference: z.string().min(1) }),
});

export const PaymentDeclined = defineMessage('PaymentDeclined', {
  ...payments,
  schema: z.object({ orderId: id, reason: rejection }),
});

export const PaymentRefunded = defineMessage('PaymentRefunded', {
  ...payments,
  schema: z.object({ orderId: id, amount: money, providerReference: z.string().min(1) }),
});

export const paymentEvents = [PaymentAuthorized, PaymentDeclined, PaymentRefunded] as const;
