import { createHash } from 'node:crypto';
import type { Envelope } from '@tidegate/core';
import type { Database, UnitOfWork } from '@tidegate/database';
import type { WebhookTables } from '../tables.ts';

/** A delivery to enqueue. */
export interface PendingDelivery {
  readonly endpointId: string;
  /** See `delivery-order.ts`. */
  readonly orderingKey: string;
  readonly event: Pick<Envelope, 'source' | 'id' | 'subject' | 'sequence'>;
  /** Row of `webhook_changes` that the body is rendered from; null when `body` is given. */
  readonly changeId: string | null;
  readonly body: string | null;
}

/** Channel of `Database.signals` that wakes dispatchers when deliveries were enqueued. */
export const deliveriesChannel = 'webhook-deliveries';

/** Keeps the number of parameters of a statement bounded. */
const ROWS_PER_INSERT = 200;

/** Enqueues deliveries, due at once, and wakes the dispatchers after commit. Ignores deliveries that exist already. */
export async function enqueueDeliveries(
  database: Database<WebhookTables>,
  unit: UnitOfWork<WebhookTables>,
  deliveries: readonly PendingDelivery[],
  nowMs: number,
): Promise<void> {
  const rows = deliveries.map((delivery) => pendingRow(delivery, nowMs));
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    await unit.tx
      .insertInto('webhook_deliveries')
      .values(rows.slice(from, from + ROWS_PER_INSERT))
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  }
  database.signals.notify(unit, deliveriesChannel);
}

/**
 * Returns the `webhook-id` of an endpoint's delivery. It depends on the endpoint and the event alone, so every attempt
 * and every repetition after a crash has the same id, and receivers can deduplicate by it.
 *
 * The id is a hash, because the signed bytes are `id.timestamp.body`: a dot in the id would make them ambiguous.
 */
export function webhookId(endpointId: string, event: Pick<Envelope, 'source' | 'id'>): string {
  const hash = createHash('sha256').update(`${endpointId}\n${event.source}\n${event.id}`);
  return `msg_${hash.digest('base64url').slice(0, 32)}`;
}

function pendingRow({ endpointId, orderingKey, event, changeId, body }: PendingDelivery, nowMs: number) {
  return {
    id: webhookId(endpointId, event),
    endpoint_id: endpointId,
    ordering_key: orderingKey,
    change_id: changeId,
    event_id: event.id,
    subject: event.subject,
    sequence: event.sequence,
    status: 'pending' as const,
    attempts: 0,
    next_attempt_at: nowMs,
    lease_owner: null,
    lease_until: 0,
    body,
    created_at: nowMs,
    finished_at: null,
  };
}
