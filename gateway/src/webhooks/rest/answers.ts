import type { DeliveryWithAttempts } from '../deliveries/delivery-history.ts';
import type { AttemptRow, EndpointRow } from '../tables.ts';
import type { DeliveryAnswer, EndpointAnswer } from './schemas.ts';

/** Encodes an endpoint for its partner: without the secrets, times as RFC 3339. */
export function encodeEndpoint(row: EndpointRow): EndpointAnswer {
  return {
    id: row.id,
    partner: row.partner,
    url: row.url,
    bff: row.bff,
    document: row.document,
    ...(row.operation_name !== null && { operationName: row.operation_name }),
    variables: JSON.parse(row.variables) as Record<string, unknown>,
    status: row.status,
    ...(row.disabled_reason !== null && { disabledReason: row.disabled_reason }),
    ...(row.failing_since !== null && { failingSince: isoTime(row.failing_since) }),
    createdAt: isoTime(row.created_at),
  };
}

/** Encodes a delivery for its partner: without the lease, times as RFC 3339. */
export function encodeDelivery({ delivery, attempts }: DeliveryWithAttempts): DeliveryAnswer {
  return {
    id: delivery.id,
    status: delivery.status,
    eventId: delivery.event_id,
    key: delivery.subject,
    sequence: delivery.sequence,
    createdAt: isoTime(delivery.created_at),
    ...(delivery.finished_at !== null && { finishedAt: isoTime(delivery.finished_at) }),
    ...(delivery.status === 'pending' && { nextAttemptAt: isoTime(delivery.next_attempt_at) }),
    attempts: attempts.map((row) => encodeAttempt(row)),
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function encodeAttempt(row: AttemptRow): DeliveryAnswer['attempts'][number] {
  return {
    number: row.number,
    at: isoTime(row.at),
    durationMs: row.duration_ms,
    status: row.error === null ? 'delivered' : 'failed',
    ...(row.http_status !== null && { httpStatus: row.http_status }),
    ...(row.error !== null && { error: row.error as DeliveryAnswer['attempts'][number]['error'] & string }),
    ...(row.message !== null && { message: row.message }),
  };
}
