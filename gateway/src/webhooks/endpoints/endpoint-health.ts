/**
 * Health of endpoints.
 *
 * - A successful attempt makes an endpoint healthy: `failing_since` is cleared.
 * - A failed attempt sets `failing_since` unless it is set. An endpoint that has failed for `disableAfterMs` without a
 *   success is disabled.
 * - 410 Gone disables the endpoint at once.
 * - An attempt that failed before the endpoint was called (`RENDER_FAILED`) says nothing about its health.
 * - An endpoint with more than `maxPendingPerEndpoint` pending deliveries is disabled, so that the queue is bounded.
 *
 * A disabled endpoint gets no deliveries, and its pending ones are dead. Its partner enables it again.
 */
import type { Database, UnitOfWork } from '@tidegate/database';
import { sql } from 'kysely';
import { isGone, type AttemptOutcome } from '../attempt-outcome.ts';
import type { WebhookTables } from '../tables.ts';
import { nextRevision } from './endpoint-revision.ts';

/** Consequence of one attempt for the health of its endpoint. */
export type EndpointHealth =
  | { readonly kind: 'healthy' }
  | { readonly kind: 'failing'; readonly disableAfterMs: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown' };

const DAY_MS = 86_400_000;

export function healthAfter(outcome: AttemptOutcome, disableAfterMs: number): EndpointHealth {
  if (outcome.result === 'delivered') return { kind: 'healthy' };
  if (isGone(outcome)) return { kind: 'gone' };
  if (outcome.error === 'RENDER_FAILED') return { kind: 'unknown' };
  return { kind: 'failing', disableAfterMs };
}

/** Stores the health of an endpoint after an attempt, and disables the endpoint when the rules above say so. */
export async function recordHealth(
  unit: UnitOfWork<WebhookTables>,
  endpointId: string,
  health: EndpointHealth,
  nowMs: number,
): Promise<void> {
  switch (health.kind) {
    case 'unknown':
      return;
    case 'gone':
      return disableEndpoint(unit, endpointId, 'The receiver answered 410 Gone.', nowMs);
    case 'healthy':
      return clearFailingSince(unit, endpointId);
    case 'failing': {
      const failingMs = nowMs - (await setFailingSince(unit, endpointId, nowMs));
      if (failingMs < health.disableAfterMs) return;
      const days = Math.floor(failingMs / DAY_MS);
      await disableEndpoint(unit, endpointId, `Every attempt has failed for ${days} days.`, nowMs);
    }
  }
}

/** Disables each endpoint that has more than `maxPending` pending deliveries. */
export async function disableOverfullEndpoints(
  database: Database<WebhookTables>,
  maxPending: number,
  nowMs: number,
): Promise<void> {
  const overfull = await database.query
    .selectFrom('webhook_deliveries')
    .select('endpoint_id')
    .where('status', '=', sql.lit('pending'))
    .groupBy('endpoint_id')
    .having((row) => row.fn.countAll(), '>', maxPending)
    .execute();
  for (const { endpoint_id: id } of overfull) {
    const reason = `More than ${maxPending} deliveries were waiting.`;
    await database.transaction((unit) => disableEndpoint(unit, id, reason, nowMs));
  }
}

async function clearFailingSince(unit: UnitOfWork<WebhookTables>, id: string): Promise<void> {
  await unit.tx
    .updateTable('webhook_endpoints')
    .set({ failing_since: null })
    .where('id', '=', id)
    .where('failing_since', 'is not', null)
    .execute();
}

/** Returns the time since which the endpoint has been failing, `nowMs` when this is its first failure. */
async function setFailingSince(unit: UnitOfWork<WebhookTables>, id: string, nowMs: number): Promise<number> {
  const endpoint = await unit.tx
    .updateTable('webhook_endpoints')
    .set((row) => ({ failing_since: row.fn.coalesce('failing_since', row.val(nowMs)) }))
    .where('id', '=', id)
    .returning('failing_since')
    .executeTakeFirst();
  return endpoint?.failing_since ?? nowMs;
}

/** Disables an endpoint, if it is enabled, with this reason for its partner. Its pending deliveries are dead. */
export async function disableEndpoint(
  unit: UnitOfWork<WebhookTables>,
  id: string,
  reason: string,
  nowMs: number,
): Promise<void> {
  const revision = await nextRevision(unit);
  await unit.tx
    .updateTable('webhook_endpoints')
    .set({ status: 'disabled', disabled_reason: reason, revision })
    .where('id', '=', id)
    .where('status', '=', 'enabled')
    .execute();
  await unit.tx
    .updateTable('webhook_deliveries')
    .set({ status: 'dead', finished_at: nowMs })
    .where('endpoint_id', '=', id)
    .where('status', '=', 'pending')
    .execute();
}
