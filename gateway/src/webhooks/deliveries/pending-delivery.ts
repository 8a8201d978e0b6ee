import { createHash } from 'node:crypto';
import type { Envelope } from '@tidegate/core';
import type { Database, UnitOfWork } from '@tidegate/database';
import { sql } from 'kysely';
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
  for (let from = 0; from < deliveries.length; from += ROWS_PER_INSERT) {
    const some = deliveries.slice(from, from + ROWS_PER_INSERT);
    const keysInUse = await lockKeysInUse(database, unit, some);
    const rows = some.map((delivery) => {
      const key = keyOf(delivery);
      const is_head = keysInUse.has(key) ? 0 : 1;
      keysInUse.add(key);
      return { ...pendingRow(delivery, nowMs), is_head };
    });
    await unit.tx
      .insertInto('webhook_deliveries')
      .values(rows)
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

/**
 * Returns the keys that have a pending delivery. The newest of each is locked until the caller's transaction ends: the
 * transaction in which it ends sees the rows enqueued now, and makes the next one a head.
 */
async function lockKeysInUse(
  { dialect }: Database<WebhookTables>,
  { tx }: UnitOfWork<WebhookTables>,
  deliveries: readonly PendingDelivery[],
): Promise<Set<string>> {
  const keys = sql.join(
    deliveries.map(({ endpointId, orderingKey }) => sql`(${endpointId}, ${orderingKey})`),
  );
  const pendingOfKey = sql`select newest.seq from webhook_deliveries as newest where newest.status = 'pending'
    and newest.endpoint_id = wanted.endpoint_id and newest.ordering_key = wanted.ordering_key`;
  // SQLite has one writer at a time, and so nothing to lock.
  const { rows } = await (
    dialect === 'sqlite'
      ? sql<WantedKey>`with wanted (endpoint_id, ordering_key) as (values ${keys})
          select endpoint_id, ordering_key from wanted where exists (${pendingOfKey})`
      : sql<WantedKey>`select wanted.endpoint_id, wanted.ordering_key
          from (values ${keys}) as wanted (endpoint_id, ordering_key)
          cross join lateral (${pendingOfKey} order by newest.seq desc limit 1 for share) as locked`
  ).execute(tx);
  return new Set(
    rows.map(({ endpoint_id, ordering_key }) =>
      keyOf({ endpointId: endpoint_id, orderingKey: ordering_key }),
    ),
  );
}

interface WantedKey {
  readonly endpoint_id: string;
  readonly ordering_key: string;
}

function keyOf({ endpointId, orderingKey }: Pick<PendingDelivery, 'endpointId' | 'orderingKey'>): string {
  return `${endpointId} ${orderingKey}`;
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
