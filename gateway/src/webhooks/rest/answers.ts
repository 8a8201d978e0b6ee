import type { KnownDelivery } from '../deliveries/delivery-history.ts';
import type { AttemptRow, EndpointRow } from '../tables.ts';
import type { DeliveryAnswer, EndpointAnswer } from './schemas.ts';

/** Rows as partners see them: no secret, no lease, times as text. */
export function toEndpoint(row: EndpointRow): EndpointAnswer {
  return {
    id: row.id,
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

export function toDelivery({ delivery, attempts }: KnownDelivery): DeliveryAnswer {
  return {
    id: delivery.id,
    status: delivery.status,
    eventId: delivery.event_id,
    key: delivery.subject,
    sequence: delivery.sequence,
    createdAt: isoTime(delivery.created_at),
    ...(delivery.finished_at !== null && { finishedAt: isoTime(delivery.finished_at) }),
    ...(delivery.status === 'pending' && { nextAttemptAt: isoTime(delivery.next_attempt_at) }),
    attempts: attempts.map((row) => toAttempt(row)),
  };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function toAttempt(row: AttemptRow): DeliveryAnswer['attempts'][number] {
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
