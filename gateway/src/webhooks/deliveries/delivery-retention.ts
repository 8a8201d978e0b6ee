import type { Database } from '@tidegate/database';
import { sql } from 'kysely';
import { disableEndpoint } from '../endpoints/endpoint-store.ts';
import type { WebhookTables } from '../tables.ts';

export interface SweepOptions {
  readonly database: Database<WebhookTables>;
  readonly now: number;
  /** How long what was delivered can be looked up. */
  readonly keepDeliveredMs: number;
  /** How long what was given up can be looked up. */
  readonly keepDeadMs: number;
  /** An endpoint that more waits for is disabled: the queue of the others must not grow with it. */
  readonly maxPendingPerEndpoint: number;
}

const ROWS_PER_PASS = 1_000;
/** A change is written just before its deliveries; nobody else looks for it within this time. */
const CHANGE_GRACE_MS = 60 * 60 * 1000;

/** Forgets what is finished and old, a bounded number of rows at a time, and bounds what waits. */
export async function sweepDeliveries(options: SweepOptions): Promise<void> {
  const { database, now } = options;
  await forget(database, 'delivered', now - options.keepDeliveredMs);
  await forget(database, 'dead', now - options.keepDeadMs);
  await forgetChanges(database, now - CHANGE_GRACE_MS);
  await endOrphans(database, now);
  await disableOverfull(options);
}

async function forget(
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
    .limit(ROWS_PER_PASS)
    .execute();
  if (old.length === 0) return;
  const seqs = old.map(({ seq }) => seq);
  await database.transaction(async ({ tx }) => {
    await tx.deleteFrom('webhook_attempts').where('delivery_seq', 'in', seqs).execute();
    await tx.deleteFrom('webhook_deliveries').where('seq', 'in', seqs).execute();
  });
}

async function forgetChanges(database: Database<WebhookTables>, beforeMs: number): Promise<void> {
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
        .limit(ROWS_PER_PASS),
    )
    .execute();
}

/** A change may be queued in the moment in which its endpoint is disabled or deleted: nobody would send it. */
async function endOrphans(database: Database<WebhookTables>, now: number): Promise<void> {
  await database.query
    .updateTable('webhook_deliveries')
    .set({ status: 'dead', finished_at: now })
    .where('status', '=', sql.lit('pending'))
    .where('endpoint_id', 'not in', (from) =>
      from.selectFrom('webhook_endpoints').select('id').where('status', '=', 'enabled'),
    )
    .execute();
}

async function disableOverfull({ database, now, maxPendingPerEndpoint }: SweepOptions): Promise<void> {
  const overfull = await database.query
    .selectFrom('webhook_deliveries')
    .select('endpoint_id')
    .where('status', '=', sql.lit('pending'))
    .groupBy('endpoint_id')
    .having((row) => row.fn.countAll(), '>', maxPendingPerEndpoint)
    .execute();
  for (const { endpoint_id: id } of overfull) {
    const reason = `More than ${maxPendingPerEndpoint} deliveries were waiting.`;
    await database.transaction((unit) => disableEndpoint(unit, id, reason, now));
  }
}
