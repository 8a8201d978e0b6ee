import { errorCodes, type ErrorCode } from '@tidegate/core';
import { z } from 'zod';
import { tokenSubject } from '../../auth/jwt-rules.ts';
import { attemptErrors } from '../attempt-outcome.ts';

const time = z.iso.datetime().describe('RFC 3339, UTC.');
const status = z.enum(['pending', 'delivered', 'dead']);

export const endpointInput = z
  .strictObject({
    url: z
      .string()
      .describe('Address to POST to: https and public, without user name, password and fragment.'),
    bff: z
      .string()
      .min(1)
      .max(64)
      .default('web')
      .describe('Name of the BFF whose schema `document` is written for.'),
    document: z
      .string()
      .min(1)
      .max(16_000)
      .describe('A GraphQL subscription. Its arguments choose the changes, its selection is the payload.'),
    operationName: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Name of the operation to execute. Required when the document has several.'),
    variables: z.record(z.string(), z.unknown()).default({}).describe('The variables of the document.'),
  })
  .meta({ title: 'EndpointInput' });

export const endpoint = z
  .object({
    id: z.string(),
    partner: z.string().describe('Subject of the token that registered it.'),
    url: z.string(),
    bff: z.string(),
    document: z.string(),
    operationName: z.string().optional(),
    variables: z.record(z.string(), z.unknown()),
    status: z.enum(['enabled', 'disabled']),
    disabledReason: z.string().optional(),
    failingSince: time.optional().describe('Time of the first failed attempt after the last success.'),
    createdAt: time,
  })
  .meta({ title: 'Endpoint' });

const secret = z
  .string()
  .describe('`whsec_…`, the key of the Standard Webhooks signature. Shown only in this answer.');

export const endpointWithSecret = endpoint.extend({ secret }).meta({ title: 'EndpointWithSecret' });

export const rotatedSecret = z
  .object({
    secret,
    previousSecretValidUntil: time.describe('Until then the replaced secret signs as well.'),
  })
  .meta({ title: 'RotatedSecret' });

export const endpointQuery = z.strictObject({
  partner: tokenSubject.optional().describe('Only endpoints of this partner.'),
  limit: z.coerce.number().int().min(1).max(200).default(200),
  after: z
    .string()
    .regex(/^\d{1,15}\.[A-Za-z0-9_-]{1,64}$/)
    .optional()
    .describe('`next` of the previous page.'),
});

export const endpointList = z
  .object({
    endpoints: z.array(endpoint),
    next: z.string().optional().describe('Value of `after` for the next page. Absent on the last page.'),
  })
  .meta({ title: 'EndpointList' });

export const attempt = z
  .object({
    number: z.int().min(1),
    at: time,
    durationMs: z.int().min(0),
    status: z.enum(['delivered', 'failed']),
    httpStatus: z.int().optional(),
    error: z.enum(attemptErrors).optional(),
    message: z.string().optional(),
  })
  .meta({ title: 'Attempt' });

export const delivery = z
  .object({
    id: z.string().describe('The `webhook-id`: the same for every attempt.'),
    status,
    eventId: z.string().describe('The CloudEvent id of the change.'),
    key: z
      .string()
      .describe('Key of the changed thing. Changes of one key are delivered one after the other.'),
    sequence: z.int().describe('Version of the changed thing.'),
    createdAt: time,
    finishedAt: time.optional(),
    nextAttemptAt: time
      .optional()
      .describe(
        'Earliest time of the next attempt. An earlier pending delivery of the same key comes first.',
      ),
    attempts: z.array(attempt),
  })
  .meta({ title: 'Delivery' });

export const deliveryQuery = z.strictObject({
  status: status.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  before: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional()
    .describe('`next` of the previous page.'),
});

export const deliveryPage = z
  .object({
    deliveries: z.array(delivery).describe('Newest first.'),
    next: z.string().optional().describe('Value of `before` for the next page. Absent on the last page.'),
  })
  .meta({ title: 'DeliveryPage' });

export const queuedTest = z.object({ deliveryId: z.string() }).meta({ title: 'QueuedTest' });

export const resendInput = z
  .union([
    z.strictObject({ deliveryId: z.string().min(1).max(200).describe('`id` of one dead delivery.') }),
    z.strictObject({ since: time.describe('Resend all deliveries that died at or after this time.') }),
  ])
  .meta({ title: 'ResendInput' });

export const resent = z
  .object({ resent: z.int().min(0).describe('Number of deliveries that will be sent again.') })
  .meta({ title: 'Resent' });

export const errorBody = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .meta({ title: 'Error' });

export type EndpointQuery = z.infer<typeof endpointQuery>;
export type EndpointList = z.infer<typeof endpointList>;
export type EndpointInput = z.infer<typeof endpointInput>;
export type EndpointAnswer = z.infer<typeof endpoint>;
export type DeliveryAnswer = z.infer<typeof delivery>;
export type DeliveryQuery = z.infer<typeof deliveryQuery>;
export type DeliveryPage = z.infer<typeof deliveryPage>;
