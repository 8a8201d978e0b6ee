import type { Database } from '@tidegate/database';
import type { Metrics } from '@tidegate/runtime/telemetry';
import { sql } from 'kysely';
import type { WebhookTables } from '../tables.ts';

export interface DeliverySamplesOptions {
  readonly metrics: Metrics;
  readonly database: Database<WebhookTables>;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** A count reads an index entry for each pending or dead delivery. */
const EVERY_MS = 5_000;

/** Shows the deliveries of all dispatchers at each scrape. Returns a function that ends it. */
export function sampleDeliveries({ metrics, database, clock }: DeliverySamplesOptions): () => void {
  const ends = [
    metrics.sample(
      {
        name: 'tidegate_webhook_deliveries',
        help: 'Deliveries by status: pending, dead. Each dispatcher shows all of them',
        labels: ['status'],
        everyMs: EVERY_MS,
      },
      async () => [
        { labels: { status: 'pending' }, value: await countDeliveries(database, 'pending') },
        { labels: { status: 'dead' }, value: await countDeliveries(database, 'dead') },
      ],
    ),
    metrics.sample(
      {
        name: 'tidegate_webhook_oldest_due_seconds',
        help: 'Time since the delivery that has been due for the longest became due, 0 without any',
        everyMs: EVERY_MS,
      },
      async () => [{ labels: {}, value: await oldestDueSeconds(database, clock()) }],
    ),
  ];
  return () => ends.forEach((end) => end());
}

async function countDeliveries(
  database: Database<WebhookTables>,
  status: 'pending' | 'dead',
): Promise<number> {
  const { rows } = await database.query
    .selectFrom('webhook_deliveries')
    .select((select) => select.fn.countAll<number>().as('rows'))
    // A literal, so that the planner can use the partial indexes of pending and of dead deliveries.
    .where('status', '=', sql.lit(status))
    .executeTakeFirstOrThrow();
  return rows;
}

async function oldestDueSeconds(database: Database<WebhookTables>, nowMs: number): Promise<number> {
  const oldest = await database.query
    .selectFrom('webhook_deliveries')
    .select('next_attempt_at')
    .where('status', '=', sql.lit('pending'))
    .where('is_head', '=', sql.lit(1))
    .where('next_attempt_at', '<=', nowMs)
    .orderBy('next_attempt_at')
    .limit(1)
    .executeTakeFirst();
  return oldest ? (nowMs - oldest.next_attempt_at) / 1_000 : 0;
}
