import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Database } from '@tidegate/database';
import { sql, type AliasableExpression, type ExpressionBuilder, type SqlBool } from 'kysely';
import { disableOverfullEndpoints } from '../endpoints/endpoint-health.ts';
import type { WebhookTables } from '../tables.ts';
import { promoteAll } from './delivery-order.ts';

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

/** Maximum rows of each kind that a sweep deletes. The next sweep deletes the remainder. */
const ROWS_PER_SWEEP = 1_000;
/** Rows per statement. The event loop turns between statements: an embedded database works on it. */
const ROWS_PER_BATCH = 200;
/** Minimum age of a change before it is deleted, so that a sweep does not race with the fan-out of a new one. */
const CHANGE_GRACE_MS = 60 * 60 * 1000;

/** Deletes finished deliveries past their retention and unused changes, and bounds the queue of each endpoint. */
export async function sweepDeliveries(options: SweepOptions): Promise<void> {
  const { database, nowMs } = options;
  await deleteFinished(database, 'delivered', nowMs - options.keepDeliveredMs);
  await deleteFinished(database, 'dead', nowMs - options.keepDeadMs);
  await deleteUnusedChanges(database, nowMs - CHANGE_GRACE_MS);
  await endOrphans(database, nowMs);
  await promoteAll(database.query);
  await disableOverfullEndpoints(database, options.maxPendingPerEndpoint, nowMs);
}

async function deleteFinished(
  database: Database<WebhookTables>,
  status: 'delivered' | 'dead',
  beforeMs: number,
): Promise<void> {
  for (let total = 0; total < ROWS_PER_SWEEP; total += ROWS_PER_BATCH) {
    const old = await database.query
      .selectFrom('webhook_deliveries')
      .select('seq')
      .where('status', '=', status)
      .where('finished_at', '<', beforeMs)
      .orderBy('finished_at')
      .limit(ROWS_PER_BATCH)
      .execute();
    if (old.length === 0) return;
    const seqs = old.map(({ seq }) => seq);
    await database.transaction(async ({ tx }) => {
      await tx.deleteFrom('webhook_attempts').where('delivery_seq', 'in', seqs).execute();
      await tx.deleteFrom('webhook_deliveries').where('seq', 'in', seqs).execute();
    });
    await nextTurn();
  }
}

/** Looks at every change, in pages by id: a change is unused long after it was created. */
async function deleteUnusedChanges(database: Database<WebhookTables>, beforeMs: number): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined; await nextTurn()) {
    const page: { id: string; isUnused: number | boolean }[] = await database.query
      .selectFrom('webhook_changes as change')
      .select(['change.id', (where) => isUnused(where, beforeMs).as('isUnused')])
      .where('change.id', '>', after)
      .orderBy('change.id')
      .limit(ROWS_PER_BATCH)
      .execute();
    const unused = page.filter((row) => row.isUnused).map(({ id }) => id);
    after = page.length === ROWS_PER_BATCH ? page.at(-1)!.id : undefined;
    if (unused.length === 0) continue;
    await database.query
      .deleteFrom('webhook_changes as change')
      .where('change.id', 'in', unused)
      // A delivery may have been enqueued since the page was read.
      .where((where) => isUnused(where, beforeMs))
      .execute();
  }
}

type ChangeExpressions = ExpressionBuilder<
  WebhookTables & { change: WebhookTables['webhook_changes'] },
  'change'
>;

function isUnused(where: ChangeExpressions, beforeMs: number): AliasableExpression<SqlBool> {
  return where.and([
    where('change.created_at', '<', beforeMs),
    where.not(
      where.exists(
        where
          .selectFrom('webhook_deliveries as delivery')
          .select('delivery.seq')
          .whereRef('delivery.change_id', '=', 'change.id'),
      ),
    ),
  ]);
}

/** Marks deliveries dead that were enqueued while their endpoint was being disabled or deleted. */
async function endOrphans(database: Database<WebhookTables>, nowMs: number): Promise<void> {
  for (let ended = ROWS_PER_BATCH; ended >= ROWS_PER_BATCH; await nextTurn()) {
    const result = await database.query
      .updateTable('webhook_deliveries')
      .set({ status: 'dead', finished_at: nowMs })
      .where('status', '=', sql.lit('pending'))
      .where('seq', 'in', (from) =>
        from
          .selectFrom('webhook_deliveries')
          .select('seq')
          .where('status', '=', sql.lit('pending'))
          .where('endpoint_id', 'not in', (endpoint) =>
            endpoint.selectFrom('webhook_endpoints').select('id').where('status', '=', 'enabled'),
          )
          .limit(ROWS_PER_BATCH),
      )
      .executeTakeFirst();
    ended = Number(result.numUpdatedRows);
  }
}
