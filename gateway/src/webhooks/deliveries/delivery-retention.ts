import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import { disableOverfullEndpoints } from '../endpoints/endpoint-health.ts';
import type { WebhookTables } from '../tables.ts';

export interface SweepOptions {
  readonly database: Database<WebhookTables>;
  readonly nowMs: number;
  /** Retention of delivered deliveries, in milliseconds. */
  readonly keepDeliveredMs: number;
  /** Retention of dead deliveries, in milliseconds. */
  readonly keepDeadMs: number;
  /** See `disableOverfullEndpoints`. */
  readonly maxPendingPerEndpoint: number;
}

/** Keeps a sweep's transactions short. The next sweep deletes the remainder. */
const ROWS_PER_SWEEP = 1_000;
/** Minimum age of a change before it is deleted, so that a sweep does not race with the fan-out of a new one. */
const CHANGE_GRACE_MS = 60 * 60 * 1000;

/** Deletes finished deliveries past their retention and unused changes, and bounds the queue of each endpoint. */
export async function sweepDeliveries(options: SweepOptions): Promise<void> {
  const { database, nowMs } = options;
  await deleteFinished(database, 'delivered', nowMs - options.keepDeliveredMs);
  await deleteFinished(database, 'dead', nowMs - options.keepDeadMs);
  await deleteUnusedChanges(database, nowMs - CHANGE_GRACE_MS);
  await endOrphans(database, nowMs);
  await disableOverfullEndpoints(database, options.maxPendingPerEndpoint, nowMs);
}

async function deleteFinished(
  database: Database<WebhookTables>,
  status: 'delivered' | 'dead',
  beforeMs: number,
): Promise<void> {
  const old = await database.query
    .selectFrom('webhook_deliveries')
    .select('seq')
    .where('status', '=', status)
    .where('finished_at', '<', beforeMs)
    .orderBy('finished_at')
    .limit(ROWS_PER_SWEEP)
    .execute();
  if (old.length === 0) return;
  const seqs = old.map(({ seq }) => seq);
  await database.transaction(async ({ tx }) => {
    await tx.deleteFrom('webhook_attempts').where('delivery_seq', 'in', seqs).execute();
    await tx.deleteFrom('webhook_deliveries').where('seq', 'in', seqs).execute();
  });
}

async function deleteUnusedChanges(database: Database<WebhookTables>, beforeMs: number): Promise<void> {
  await database.query
    .deleteFrom('webhook_changes')
    .where('id', 'in', (from) =>
      from
        .selectFrom('webhook_changes as change')
        .select('change.id')
        .where('change.created_at', '<', beforeMs)
        .where((where) =>
          where.not(
            where.exists(
              where
                .selectFrom('webhook_deliveries as delivery')
                .select('delivery.seq')
                .whereRef('delivery.change_id', '=', 'change.id'),
            ),
          ),
        )
        .limit(ROWS_PER_SWEEP),
    )
    .execute();
}

/** Marks deliveries dead that were enqueued while their endpoint was being disabled or deleted. */
async function endOrphans(database: Database<WebhookTables>, nowMs: number): Promise<void> {
  await database.query
    .updateTable('webhook_deliveries')
    .set({ status: 'dead', finished_at: nowMs })
    .where('status', '=', sql.lit('pending'))
    .where('endpoint_id', 'not in', (from) =>
      from.selectFrom('webhook_endpoints').select('id').where('status', '=', 'enabled'),
    )
    .execute();
}
