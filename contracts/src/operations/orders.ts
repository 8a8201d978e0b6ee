import { z } from 'zod';
import { accountId, id, quantity, rejection } from '../values.ts';
import { defineOperation } from '@tidegate/core';
import { access } from './access.ts';

/** The authenticated user. The gateway authenticates; the services trust it and authorise. */
export const actor = z.object({ role: z.enum(['customer', 'operator', 'system']), id: accountId });
export type Actor = z.infer<typeof actor>;

export const commandResult = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('accepted'),
    commandId: id,
    orderId: id,
    version: z.int(),
    token: z.string(),
  }),
  z.object({ status: z.literal('rejected'), commandId: id, reason: rejection }),
]);
export type CommandResult = z.infer<typeof commandResult>;

/** A repeated `commandId` returns the first outcome, so retries are safe. */
export const placeOrder = defineOperation({
  service: 'orders',
  kind: 'commands',
  name: 'place-order',
  input: z.object({
    commandId: id,
    actor,
    orderId: id.optional(),
    customerId: accountId,
    lines: z
      .array(z.object({ productId: id, quantity, unitPriceCents: z.int().min(0) }))
      .min(1)
      .max(50),
    note: z.string().max(500).optional(),
    traceparent: z.string().optional(),
  }),
  output: commandResult,
});

export const cancelOrder = defineOperation({
  service: 'orders',
  kind: 'commands',
  name: 'cancel-order',
  input: z.object({
    commandId: id,
    actor,
    orderId: id,
    reason: z.string().max(500),
    traceparent: z.string().optional(),
  }),
  output: commandResult,
});

/** The outcome of a command by its id; null for an unknown id and for an outcome outside of `access`. */
export const getCommandOutcome = defineOperation({
  service: 'orders',
  kind: 'queries',
  name: 'get-command-outcome',
  input: z.object({ commandId: id, access }),
  output: z.object({
    outcome: z.object({ customerId: accountId, command: z.string(), result: commandResult }).nullable(),
  }),
});
